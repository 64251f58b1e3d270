package analysis

import (
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Plan is what a run wants next.
type Plan struct {
	Phase v1alpha1.AnalysisPhase
	Due   []string  // the metrics to measure now
	At    time.Time // when Due is empty and the run not completed: when to come back
}

// Next says what to measure now, or when to come back. It starts a run that has not started, and ends one that is to be
// terminated or that nobody can measure; so what it writes into the run's status is to be kept. After the measurements
// of Due are recorded it is asked again.
func Next(run *v1alpha1.AnalysisRun, now time.Time) Plan {
	if run.Status.Phase.Completed() {
		return Plan{Phase: run.Status.Phase}
	}
	if run.Status.StartedAt == nil {
		at := metav1.NewTime(now)
		run.Status.StartedAt = &at
	}
	s, err := read(run)
	if err != nil {
		run.Status.Message = redact(err.Error(), nil)
		end(run, v1alpha1.AnalysisPhaseError, now)
		return Plan{Phase: run.Status.Phase}
	}
	s.assess(run, now)
	plan := Plan{Phase: run.Status.Phase}
	if plan.Phase.Completed() {
		return plan
	}
	for i, m := range s.metrics {
		at, wanted := s.due(run, i)
		switch {
		case !wanted:
		case !at.After(now):
			plan.Due = append(plan.Due, m.Name)
		case plan.At.IsZero() || at.Before(plan.At):
			plan.At = at
		}
	}
	if len(plan.Due) > 0 {
		plan.At = time.Time{}
	}
	return plan
}

// due is when the metric is to be measured, and whether it is at all (analysis.go, generateMetricTasks and
// calculateNextReconcileTime).
func (s *state) due(run *v1alpha1.AnalysisRun, i int) (time.Time, bool) {
	m := s.metrics[i]
	r := result(run, m.Name)
	at := run.Status.StartedAt.Time
	switch {
	case r == nil || len(r.Measurements) == 0:
		if d, err := m.InitialDelay.Duration(); err == nil {
			at = at.Add(d)
		}
	case r.Phase.Completed():
		return time.Time{}, false
	default:
		last := r.Measurements[len(r.Measurements)-1]
		if last.FinishedAt == nil { // begun by another controller; nothing of ours is ever half done
			break
		}
		wait := errorRetry
		if last.Phase != v1alpha1.AnalysisPhaseError {
			if d, err := m.Interval.Duration(); err == nil {
				wait = d
			}
		}
		at = last.FinishedAt.Add(wait)
	}
	if warm := s.warmAt[m.Name]; warm.After(at) {
		at = warm
	}
	return at, true
}

func end(run *v1alpha1.AnalysisRun, phase v1alpha1.AnalysisPhase, now time.Time) {
	run.Status.Phase = phase
	if run.Status.CompletedAt == nil {
		at := metav1.NewTime(now)
		run.Status.CompletedAt = &at
	}
}
