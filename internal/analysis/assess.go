package analysis

import (
	"fmt"
	"strings"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// order is the phases from good to bad (utils/analysis/helpers.go, analysisStatusOrder).
var order = map[v1alpha1.AnalysisPhase]int{
	v1alpha1.AnalysisPhaseSuccessful:   0,
	v1alpha1.AnalysisPhaseRunning:      1,
	v1alpha1.AnalysisPhasePending:      2,
	v1alpha1.AnalysisPhaseInconclusive: 3,
	v1alpha1.AnalysisPhaseError:        4,
	v1alpha1.AnalysisPhaseFailed:       5,
}

// assess brings the phases of the metrics and of the run up to what was measured (analysis.go, assessRunStatus). A
// metric that ends badly ends the others, which Argo does one round later.
func (s *state) assess(run *v1alpha1.AnalysisRun, now time.Time) {
	ending := terminating(run)
	s.assessResults(run, ending)
	if !ending && terminating(run) {
		s.assessResults(run, true)
	}
	phase, message := s.verdict(run)
	switch {
	case phase == run.Status.Phase:
	case phase.Completed():
		run.Status.Message = message
		end(run, phase, now)
	default:
		run.Status.Phase, run.Status.Message = phase, message
	}
}

func (s *state) assessResults(run *v1alpha1.AnalysisRun, ending bool) {
	for i := range s.metrics {
		s.assessResult(run, i, ending)
	}
}

func (s *state) assessResult(run *v1alpha1.AnalysisRun, i int, ending bool) {
	r := result(run, s.metrics[i].Name)
	if r == nil || r.Phase.Completed() {
		return
	}
	phase, why := s.metricPhase(i, *r, ending)
	if phase == r.Phase {
		return
	}
	r.Phase = phase
	if n := len(r.Measurements); n > 0 {
		r.Message = r.Measurements[n-1].Message
	}
	if r.DryRun && why != "" {
		r.Message = fmt.Sprintf("Metric assessed %s due to %s", phase, why)
	}
}

// metricPhase is a metric's phase by its counts, and the limit that decided it where that is not its end in success
// (analysis.go, assessMetricStatus).
func (s *state) metricPhase(i int, r v1alpha1.MetricResult, ending bool) (v1alpha1.AnalysisPhase, string) {
	m, l := s.metrics[i], s.limits[i]
	if phase, why := exceeded(l, r); phase != "" {
		return phase, why
	}
	if l.consecutiveSuccess > 0 && int(r.ConsecutiveSuccess) >= l.consecutiveSuccess {
		return v1alpha1.AnalysisPhaseSuccessful, ""
	}
	if count := l.effectiveCount(m); count > 0 && int(r.Count) >= count {
		if l.consecutiveSuccess == 0 {
			return v1alpha1.AnalysisPhaseSuccessful, ""
		}
		why := fmt.Sprintf("consecutiveSuccess (%d) < consecutiveSuccessLimit (%d)", r.ConsecutiveSuccess, l.consecutiveSuccess)
		if l.failure >= 0 {
			return v1alpha1.AnalysisPhaseInconclusive, why
		}
		return v1alpha1.AnalysisPhaseFailed, why
	}
	if ending {
		return v1alpha1.AnalysisPhaseSuccessful, ""
	}
	return v1alpha1.AnalysisPhaseRunning, ""
}

// exceeded is the phase of the limit that was exceeded and what was counted. Error beats Inconclusive beats Failed
// (analysis.go, assessMetricFailureInconclusiveOrError, by the order of its assignments).
func exceeded(l limits, r v1alpha1.MetricResult) (v1alpha1.AnalysisPhase, string) {
	switch {
	case int(r.ConsecutiveError) > l.consecutiveError:
		return v1alpha1.AnalysisPhaseError, fmt.Sprintf("consecutiveErrors (%d) > consecutiveErrorLimit (%d)", r.ConsecutiveError, l.consecutiveError)
	case int(r.Inconclusive) > l.inconclusive:
		return v1alpha1.AnalysisPhaseInconclusive, fmt.Sprintf("inconclusive (%d) > inconclusiveLimit (%d)", r.Inconclusive, l.inconclusive)
	case l.failure >= 0 && int(r.Failed) > l.failure:
		return v1alpha1.AnalysisPhaseFailed, fmt.Sprintf("failed (%d) > failureLimit (%d)", r.Failed, l.failure)
	}
	return "", ""
}

// verdict is the run's phase and message, and writes its summaries: how many metrics there are, and how those that have
// ended ended.
func (s *state) verdict(run *v1alpha1.AnalysisRun) (v1alpha1.AnalysisPhase, string) {
	var worst v1alpha1.AnalysisPhase
	var message string
	var counted, dry v1alpha1.RunSummary
	all := true
	if run.Spec.Terminate {
		message = "Run Terminated"
	}
	for i, m := range s.metrics {
		summary := &counted
		if s.dryRun[m.Name] {
			summary = &dry
		}
		summary.Count++
		r := result(run, m.Name)
		if r == nil || !r.Phase.Completed() {
			all = false
			continue
		}
		tally(summary, r.Phase)
		switch {
		case s.dryRun[m.Name]:
			if worst == "" {
				worst = v1alpha1.AnalysisPhaseSuccessful
			}
		case worst == "" || order[r.Phase] > order[worst]:
			worst = r.Phase
			if why := s.why(i, *r); why != "" {
				message = why
			}
		}
	}
	run.Status.RunSummary, run.Status.DryRunSummary = counted, &dry
	switch {
	case terminating(run) && worst == "":
		return v1alpha1.AnalysisPhaseSuccessful, message // ended before anything was measured
	case terminating(run), all && worst != "":
		return worst, strings.TrimSpace(message)
	}
	return v1alpha1.AnalysisPhaseRunning, ""
}

// why is what a run says of a metric that decided it, "" of one that succeeded.
func (s *state) why(i int, r v1alpha1.MetricResult) string {
	if r.Phase == v1alpha1.AnalysisPhaseSuccessful {
		return ""
	}
	_, limit := s.metricPhase(i, r, false)
	why := fmt.Sprintf("Metric %q assessed %s due to %s", r.Name, r.Phase, limit)
	if r.Message != "" {
		why += fmt.Sprintf(": \"Error Message: %s\"", r.Message)
	}
	return why
}

func tally(s *v1alpha1.RunSummary, phase v1alpha1.AnalysisPhase) {
	switch phase {
	case v1alpha1.AnalysisPhaseError:
		s.Error++
	case v1alpha1.AnalysisPhaseFailed:
		s.Failed++
	case v1alpha1.AnalysisPhaseInconclusive:
		s.Inconclusive++
	default:
		s.Successful++
	}
}
