package analysis

import (
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// NewStableRun is a run that asks whether the stable version passes what a canary will be judged by: each metric of the
// request once, with the stable pod template hash in the place of the latest. An alarm that rings already would abort
// the very version that mends it (AWS SAM's "production errors preventing deployments"), so this is asked before traffic
// moves. It is named after the request's run, with -stable.
func NewStableRun(req Request) (*v1alpha1.AnalysisRun, []string, error) {
	latest := req.Latest
	req.Latest = req.Stable
	run, warnings, err := NewRun(req)
	if err != nil {
		return nil, nil, err
	}
	req.Latest = latest
	run.Name = req.meta().Name + "-stable"
	for i := range run.Spec.Metrics {
		m := &run.Spec.Metrics[i]
		m.Count, m.Interval, m.InitialDelay = nil, "", ""
		m.FailureLimit, m.InconclusiveLimit, m.ConsecutiveSuccessLimit = nil, nil, nil
	}
	return run, warnings, nil
}
