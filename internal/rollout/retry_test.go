package rollout

import (
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// ends says how a run has ended.
func (w *world) ends(run string, phase v1alpha1.AnalysisPhase) {
	w.runs = append(w.runs, Run{Name: run, Phase: phase, Message: "0.9 of requests"})
	w.pass(time.Second)
}

// What failed in the try before said so of that one.
func TestARetryIsJudgedByNewRuns(t *testing.T) {
	ro := withServices(canaryRollout(4, weightStep(25), pauseStep(0)), true)
	ro.Spec.Strategy.Canary.Analysis = &v1alpha1.RolloutAnalysisBackground{RolloutAnalysis: *analysisStep().Analysis}
	for name, ro := range map[string]*v1alpha1.Rollout{
		"in the background": ro,
		"the first step":    withServices(canaryRollout(4, analysisStep(), weightStep(25)), true),
	} {
		w := started(t, ro)
		w.image("web:2")
		next := w.run(Begin, func(n Next) bool { return len(n.Measure) > 0 })
		run := next.Measure[0].Name
		w.ends(run, v1alpha1.AnalysisPhaseFailed)
		if next := w.run(next.Task, nil); next.Task != RolledBack {
			t.Fatalf("%s: %+v", name, next)
		}
		w.why, w.ro.Status.Abort = "", false
		if next := w.run(Begin, func(n Next) bool { return len(n.Measure) > 0 }); ended(next) || next.Measure[0].Name != run+".1" {
			t.Errorf("%s: %+v", name, next)
		}
	}
}
