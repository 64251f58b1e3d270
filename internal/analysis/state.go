package analysis

import (
	"errors"
	"fmt"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// state is a run's spec as it is worked by: arguments filled in but the secret ones, rules applied.
type state struct {
	metrics  []v1alpha1.Metric
	limits   []limits
	dryRun   map[string]bool
	keep     map[string]int
	warmAt   map[string]time.Time
	evidence map[string]Evidence
}

// read checks a run's spec again each time: people edit it. The error's text is what Argo's controller would put into
// status.message.
func read(run *v1alpha1.AnalysisRun) (state, error) {
	s := state{dryRun: map[string]bool{}, keep: map[string]int{}, warmAt: map[string]time.Time{}}
	args := withoutSecrets(run.Spec.Args)
	for _, m := range run.Spec.Metrics {
		filled, err := fill(m, args)
		if err != nil {
			return s, fmt.Errorf("Unable to resolve metric arguments: %w", err) //nolint:staticcheck // as Argo writes it
		}
		s.metrics = append(s.metrics, filled)
	}
	if err := s.check(run); err != nil {
		return s, fmt.Errorf("Analysis spec invalid: %w", err) //nolint:staticcheck // as Argo writes it
	}
	return s, nil
}

func (s *state) check(run *v1alpha1.AnalysisRun) error {
	if len(s.metrics) == 0 {
		return errors.New("no metrics specified")
	}
	if wrong := checkMetrics("metrics", s.metrics); len(wrong) > 0 {
		return errors.New(wrong[0])
	}
	for _, m := range s.metrics {
		l, _ := limitsOf(m) // checked just now
		s.limits = append(s.limits, l)
	}
	for i, rule := range run.Spec.DryRun {
		err := matching(fmt.Sprintf("dryRun[%d]", i), rule.MetricName, s.metrics, func(name string) { s.dryRun[name] = true })
		if err != nil {
			return err
		}
	}
	for i, rule := range run.Spec.MeasurementRetention {
		err := matching(fmt.Sprintf("measurementRetention[%d]", i), rule.MetricName, s.metrics, func(name string) {
			s.keep[name] = int(rule.Limit)
		})
		if err != nil {
			return err
		}
	}
	var err error
	if s.evidence, err = decodeEvidence(run.Annotations[EvidenceNote], s.metrics); err != nil {
		return fmt.Errorf("annotation %s: %w", EvidenceNote, err)
	}
	for name, e := range s.evidence {
		if s.warmAt[name], err = warmAt(run, e); err != nil {
			return err
		}
	}
	return nil
}

// result is the metric's result in the run's status, nil before the first measurement.
func result(run *v1alpha1.AnalysisRun, metric string) *v1alpha1.MetricResult {
	for i := range run.Status.MetricResults {
		if run.Status.MetricResults[i].Name == metric {
			return &run.Status.MetricResults[i]
		}
	}
	return nil
}

// terminating says that a run ends before its time: somebody asked for it, or a metric that counts has ended badly
// (utils/analysis/helpers.go, IsTerminating).
func terminating(run *v1alpha1.AnalysisRun) bool {
	if run.Spec.Terminate {
		return true
	}
	for _, r := range run.Status.MetricResults {
		if !r.DryRun && r.Phase.Completed() && r.Phase != v1alpha1.AnalysisPhaseSuccessful {
			return true
		}
	}
	return false
}

func whole32(n int) *intstr.IntOrString {
	v := intstr.FromInt32(int32(n)) //nolint:gosec // its parts were read as 32 bits and bounded
	return &v
}
