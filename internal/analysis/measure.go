package analysis

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

// together is how many metrics are measured at once.
const together = 8

// queryNote is the metadata of a metric's result that holds its query (metricproviders/prometheus/prometheus.go).
const queryNote = "ResolvedPrometheusQuery"

// Prometheus asks a Prometheus. A value is a float64 for a scalar, a []float64 for a vector or a matrix, in order.
type Prometheus interface {
	Query(ctx context.Context, m v1alpha1.PrometheusMetric, at time.Time) (value any, warnings []string, err error)
	QueryRange(ctx context.Context, m v1alpha1.PrometheusMetric, from, to time.Time, step time.Duration) (value any, warnings []string, err error)
}

// Secrets reads one value of a Secret in a run's cluster.
type Secrets interface {
	Secret(ctx context.Context, namespace, name, key string) (secret.Value, error)
}

// Meter takes measurements.
type Meter struct {
	Prometheus Prometheus
	Secrets    Secrets
}

// Measure takes one measurement of each metric that is due, several at once. What goes wrong with one, a secret that
// cannot be read included, is a measurement in phase Error; the only error is the end of ctx, by which nothing has been
// measured. No secret is in what it returns.
func (t Meter) Measure(ctx context.Context, run *v1alpha1.AnalysisRun, due []string) ([]Taken, error) {
	args, secrets, argErr := t.args(ctx, run)
	evidence, err := decodeEvidence(run.Annotations[EvidenceNote], run.Spec.Metrics)
	if argErr == nil {
		argErr = err
	}
	out := make([]Taken, len(due))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for i, name := range due {
		group.Go(func() error {
			start := metav1.Now()
			out[i] = Taken{Metric: name}
			err := argErr
			if err == nil {
				err = t.measure(ctx, run, &out[i], args, evidence[name])
			}
			if ctx.Err() != nil {
				return fault.Wrap(fault.Unavailable, fmt.Errorf("measure %s: %w", name, context.Cause(ctx)))
			}
			m := &out[i].Measurement
			if err != nil { // Argo keeps no value of what could not be judged
				*m = v1alpha1.Measurement{Phase: v1alpha1.AnalysisPhaseError, Message: err.Error()}
			}
			done := metav1.Now()
			m.StartedAt, m.FinishedAt = &start, &done
			out[i].redact(secrets)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// measure fills in one measurement.
func (t Meter) measure(ctx context.Context, run *v1alpha1.AnalysisRun, out *Taken, args []v1alpha1.Argument, e Evidence) error {
	raw, err := metricOf(run, out.Metric)
	if err != nil {
		return err
	}
	m, err := fill(raw, args)
	if err != nil {
		return err
	}
	if wrong := checkMetric(m); len(wrong) > 0 { // again, now that the secret arguments are in it
		return fmt.Errorf("metric %s: %s", m.Name, strings.Join(wrong, "; "))
	}
	out.Metadata = map[string]string{queryNote: m.Provider.Prometheus.Query}
	result, warnings, err := t.ask(ctx, *m.Provider.Prometheus)
	if err != nil {
		return err
	}
	samples := count(result)
	if e.SamplesQuery != "" {
		if samples, err = t.samples(ctx, raw, args, e.SamplesQuery); err != nil {
			return err
		}
	}
	phase, why, err := judge(m, e, result, samples)
	if err != nil {
		return err
	}
	out.Measurement = v1alpha1.Measurement{Phase: phase, Message: why, Value: value(result)}
	if len(warnings) > 0 {
		out.Measurement.Metadata = map[string]string{"warnings": `"` + strings.Join(warnings, `", "`) + `"`}
	}
	return nil
}

func metricOf(run *v1alpha1.AnalysisRun, name string) (v1alpha1.Metric, error) {
	for _, m := range run.Spec.Metrics {
		if m.Name == name {
			return m, nil
		}
	}
	return v1alpha1.Metric{}, fmt.Errorf("run %s has no metric %q", run.Name, name)
}

func (t Meter) ask(ctx context.Context, p v1alpha1.PrometheusMetric) (any, []string, error) {
	if p.RangeQuery == nil {
		return t.Prometheus.Query(ctx, p, time.Now())
	}
	from, to, step, err := span(*p.RangeQuery)
	if err != nil {
		return nil, nil, err
	}
	return t.Prometheus.QueryRange(ctx, p, from, to, step)
}

// samples asks how many samples there are, of the same server as the metric. No answer is none.
func (t Meter) samples(ctx context.Context, m v1alpha1.Metric, args []v1alpha1.Argument, query string) (float64, error) {
	p := *m.Provider.Prometheus
	p.Query, p.RangeQuery = query, nil
	m.Provider.Prometheus = &p
	filled, err := fill(m, args)
	if err != nil {
		return 0, err
	}
	result, _, err := t.ask(ctx, *filled.Provider.Prometheus)
	if err != nil {
		return 0, fmt.Errorf("count samples: %w", err)
	}
	switch r := result.(type) {
	case float64:
		return r, nil
	case []float64:
		if len(r) == 0 {
			return 0, nil
		}
		if len(r) == 1 {
			return r[0], nil
		}
		return 0, fmt.Errorf("count samples: samplesQuery gave %d values, not one", len(r))
	}
	return 0, fmt.Errorf("count samples: samplesQuery gave a %T", result)
}
