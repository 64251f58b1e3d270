package analysis

import (
	"fmt"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// Taken is one measurement of a metric, and what its provider says of the metric.
type Taken struct {
	Metric      string
	Measurement v1alpha1.Measurement // completed: with a phase of its own, StartedAt and FinishedAt
	Metadata    map[string]string
}

// Record adds measurements that were due to a run, and brings its phases up to them. All that were taken together go in
// together: a metric that ends the run does not undo what was measured beside it. A run that is completed stays as it is.
func Record(run *v1alpha1.AnalysisRun, taken ...Taken) error {
	if run.Status.Phase.Completed() || len(taken) == 0 {
		return nil
	}
	s, err := read(run)
	if err != nil {
		return fmt.Errorf("record measurements of %s: %w", run.Name, err)
	}
	latest := run.Status.StartedAt
	for _, t := range taken {
		if !s.has(t.Metric) || !t.Measurement.Phase.Completed() || t.Measurement.FinishedAt == nil {
			return fmt.Errorf("record measurements of %s: metric %q: no such metric, or not completed", run.Name, t.Metric)
		}
		s.add(run, t)
		if latest == nil || latest.Before(t.Measurement.FinishedAt) {
			latest = t.Measurement.FinishedAt
		}
	}
	if run.Status.StartedAt == nil {
		run.Status.StartedAt = taken[0].Measurement.StartedAt
	}
	s.assess(run, latest.Time)
	for i := range run.Status.MetricResults {
		r := &run.Status.MetricResults[i]
		limit := keep
		if n := s.keep[r.Name]; n > 0 {
			limit = n
		}
		if over := len(r.Measurements) - limit; over > 0 {
			r.Measurements = r.Measurements[over:]
		}
	}
	return nil
}

func (s *state) has(metric string) bool {
	for _, m := range s.metrics {
		if m.Name == metric {
			return true
		}
	}
	return false
}

// add counts a measurement (analysis.go, runMeasurements): errors do not count towards the metric's count.
func (s *state) add(run *v1alpha1.AnalysisRun, t Taken) {
	r := result(run, t.Metric)
	if r == nil {
		run.Status.MetricResults = append(run.Status.MetricResults, v1alpha1.MetricResult{
			Name: t.Metric, Phase: v1alpha1.AnalysisPhaseRunning, DryRun: s.dryRun[t.Metric], Metadata: t.Metadata,
		})
		r = result(run, t.Metric)
	}
	if r.Phase.Completed() {
		return
	}
	if n := len(r.Measurements); n > 0 && r.Measurements[n-1].FinishedAt == nil {
		r.Measurements = r.Measurements[:n-1]
	}
	r.Measurements = append(r.Measurements, t.Measurement)
	if t.Measurement.Phase == v1alpha1.AnalysisPhaseError {
		r.Error++
		r.ConsecutiveError++
		r.ConsecutiveSuccess = 0
		return
	}
	r.Count++
	r.ConsecutiveError = 0
	r.ConsecutiveSuccess++
	switch t.Measurement.Phase {
	case v1alpha1.AnalysisPhaseFailed:
		r.Failed++
		r.ConsecutiveSuccess = 0
	case v1alpha1.AnalysisPhaseInconclusive:
		r.Inconclusive++
		r.ConsecutiveSuccess = 0
	default:
		r.Successful++
	}
}
