package rollout

import (
	"slices"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// Rules 10 and 11: once the stable Service has moved there is no way back, whatever was written before a crash.
func TestARollbackGoesForwardOnceTheStableServiceHasMoved(t *testing.T) {
	for _, routed := range []bool{false, true} {
		w := started(t, withServices(canaryRollout(3, weightStep(50)), routed))
		w.image("web:2")
		w.run(Begin, at(Promote))
		w.services["web-stable"] = hashOf(w.set("web:2"))
		if next := w.run(Rollback, nil); next.Task != Succeeded || w.ro.Status.StableRS != hashOf(w.set("web:2")) || w.ro.Status.Abort || w.weight != 0 {
			t.Errorf("routed %v: %+v; %s", routed, next, w)
		}
	}
}

// Rule 11: PROMOTING and ready is forward, PROMOTING and not ready is back.
func TestAJanitorOfAPromotionLooksAtThePods(t *testing.T) {
	for _, dead := range []bool{false, true} {
		w := started(t, withServices(canaryRollout(3, weightStep(50)), true))
		w.image("web:2")
		w.run(Begin, at(Promote))
		w.do(Promote, "")
		w.broken["web:2"] = dead
		w.pass(time.Second)
		want := Succeeded
		if dead {
			want = RolledBack
		}
		if next := w.run(Rollback, nil); next.Task != want || w.weight != 0 {
			t.Errorf("dead %v: %+v; %s", dead, next, w)
		}
	}
}

// Rule 9: an abort that the record did not take is refused in every task.
func TestAnAbortWhilePromotingIsRefusedInEveryTask(t *testing.T) {
	for _, task := range []Task{SetWeight, Ready, Verify, Promote, ScaleDown} {
		w := started(t, withServices(canaryRollout(3, weightStep(50)), true))
		w.image("web:2")
		w.run(Begin, at(Promote))
		w.stage, w.ro.Status.Abort = Promoting, true
		if next := w.do(task, ""); next.Task == Rollback || w.ro.Status.Abort {
			t.Errorf("%s: %+v", task, next)
		}
	}
}

func TestABackgroundAnalysisBeginsWithTheTraffic(t *testing.T) {
	ro := withServices(canaryRollout(4, weightStep(25), pauseStep(60), weightStep(50), pauseStep(0)), true)
	start := int32(1)
	ro.Spec.Strategy.Canary.Analysis = &v1alpha1.RolloutAnalysisBackground{RolloutAnalysis: *analysisStep().Analysis, StartingStep: &start}
	w := started(t, ro)
	w.image("web:2")
	next := w.run(Begin, func(n Next) bool {
		if len(n.Measure) > 0 && w.weight == 0 {
			t.Errorf("measures without traffic: %s", w)
		}
		return n.Task == Pause
	})
	if len(next.Measure) != 1 || !next.Measure[0].Background || next.After <= 0 {
		t.Fatalf("%+v", next)
	}
	name := next.Measure[0].Name
	w.runs = []Run{{Name: name, Phase: v1alpha1.AnalysisPhaseInconclusive}}
	if next = w.do(Pause, ""); next.Task != Pause || next.After != 0 || !slices.ContainsFunc(w.ro.Status.PauseConditions, func(c v1alpha1.PauseCondition) bool {
		return c.Reason == v1alpha1.PauseReasonInconclusiveAnalysis
	}) {
		t.Fatalf("%+v; %v", next, w.ro.Status.PauseConditions)
	}
	index := *w.ro.Status.CurrentStepIndex + 1 // the plugin's promote of an inconclusive one
	w.ro.Status.PauseConditions, w.ro.Status.ControllerPause, w.ro.Status.CurrentStepIndex = nil, false, &index
	if next = w.do(Pause, ""); len(next.Measure) != 1 || next.Measure[0].Name != name+".1" {
		t.Fatalf("measures %+v", next.Measure)
	}
	w.runs = append(w.runs, Run{Name: name + ".1", Phase: v1alpha1.AnalysisPhaseFailed, Message: "20% of requests failed"})
	w.pass(time.Second)
	if next = w.run(Ready, nil); next.Task != RolledBack || next.Reason != "analysis "+name+".1: Failed: 20% of requests failed" {
		t.Errorf("%+v", next)
	}
}

func TestASkippedAnalysisIsEndedAndNotTakenForTheNext(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50), analysisStep(), analysisStep()), true))
	w.image("web:2")
	next := w.run(Begin, at(Analyze))
	name := next.Measure[0].Name
	w.runs = []Run{{Name: name, Phase: v1alpha1.AnalysisPhaseRunning}}
	index := int32(2) // kubectl argo rollouts promote
	w.ro.Status.CurrentStepIndex = &index
	if next = w.do(Analyze, ""); next.Task != Analyze || next.Measure[0].Step != 2 || next.Measure[0].Name == name || !slices.Equal(w.last.Terminate, []string{name}) {
		t.Errorf("%+v, terminates %v", next, w.last.Terminate)
	}
}

func TestSetCanaryScaleCountsUntilItIsTakenBack(t *testing.T) {
	three, all := int32(3), int32(80)
	scale := func(s v1alpha1.SetCanaryScale) v1alpha1.CanaryStep { return v1alpha1.CanaryStep{SetCanaryScale: &s} }
	w := started(t, withServices(canaryRollout(5,
		scale(v1alpha1.SetCanaryScale{Replicas: &three}), pauseStep(0), weightStep(20), pauseStep(0),
		scale(v1alpha1.SetCanaryScale{Weight: &all}), pauseStep(0), scale(v1alpha1.SetCanaryScale{MatchTrafficWeight: true}), pauseStep(0)), true))
	w.image("web:2")
	task := Begin
	for _, want := range []struct{ step, pods, weight int32 }{{1, 3, 0}, {3, 3, 20}, {5, 4, 20}, {7, 1, 20}} {
		w.run(task, func(n Next) bool { return n.Task == Pause && *w.ro.Status.CurrentStepIndex == want.step })
		if got := wanted(w.set("web:2")); got != want.pods || w.weight != want.weight {
			t.Errorf("step %d: %d pods at weight %d, want %d at %d", want.step, got, w.weight, want.pods, want.weight)
		}
		w.verb, w.verbStep, task = VerbPromote, want.step, Pause
	}
}

func TestAPausedSpecHoldsTheStepsButNotTheSafety(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50), pauseStep(1), weightStep(60)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.ro.Spec.Paused = true
	w.pass(time.Minute)
	if next := w.do(Pause, ""); next.Task != Pause || next.After != 0 || w.weight != 50 {
		t.Errorf("%+v; %s", next, w)
	}
	w.verb, w.verbStep = VerbPromote, 1 // ends that pause too
	if w.do(Pause, ""); w.ro.Spec.Paused {
		t.Error("spec.paused is left")
	}
	w.verb, w.ro.Spec.Paused, w.broken["web:2"] = "", true, true
	w.pass(time.Second)
	if next := w.do(Pause, ""); next.Task != Rollback {
		t.Errorf("%+v", next)
	}
}

func TestAutoscalingInTheMiddleKeepsTheShare(t *testing.T) {
	for _, routed := range []bool{false, true} {
		w := started(t, withServices(canaryRollout(4, weightStep(25), pauseStep(0)), routed))
		w.image("web:2")
		w.run(Begin, at(Pause))
		eight := int32(8)
		w.ro.Spec.Replicas, w.ro.Generation = &eight, w.ro.Generation+1
		w.run(Pause, at(Pause))
		stable := int32(6)
		if routed {
			stable = 8
		}
		if got := wanted(w.set("web:2")); got != 2 || wanted(w.set("web:1")) != stable {
			t.Errorf("routed %v: %s", routed, w)
		}
	}
}

func TestARolloutWithoutPodsIsPromotedWithoutWeight(t *testing.T) {
	w := started(t, withServices(canaryRollout(0, weightStep(50)), true))
	w.image("web:2")
	if next := w.run(Begin, nil); next.Task != Succeeded || w.ro.Status.StableRS != hashOf(w.set("web:2")) || w.weight != 0 {
		t.Errorf("%+v; %s", next, w)
	}
}

// A rollback that finds the next template takes back what its own revision did, and leaves the rest to the next execution.
func TestARollbackThatFindsTheNextTemplateIsAboutItsOwn(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50), pauseStep(0)), true))
	w.image("web:2")
	hash := w.run(Begin, at(Pause)).Hash
	observed := w.ro.Status.ObservedGeneration
	w.image("web:3")
	for range 40 {
		next := w.do(Rollback, hash)
		if next.Task == RolledBack {
			break
		}
		if next.Task != Rollback {
			t.Fatalf("%+v", next)
		}
		w.pass(max(next.After, time.Second))
	}
	if w.weight != 0 || len(w.sets) != 2 || wanted(w.set("web:2")) != 0 || w.ro.Status.CurrentPodHash != hash || w.ro.Status.ObservedGeneration != observed {
		t.Errorf("%s", w)
	}
	w.stage = Running
	if next := w.run(Begin, at(Pause)); w.weight != 50 || w.ro.Status.Abort || wanted(w.set("web:3")) != 1 {
		t.Errorf("%+v; %s", next, w)
	}
}

// A promote of the tutorial's kind: no router, both Services. The stable Service has endpoints all the time.
func TestTheStableServiceHasEndpointsAllTheTime(t *testing.T) {
	for replicas := int32(1); replicas <= 6; replicas++ {
		w := started(t, withServices(canaryRollout(replicas, weightStep(10), weightStep(60), weightStep(100)), false))
		w.image("web:2")
		next := w.run(Begin, func(Next) bool {
			if available(withHash(w.list(), w.services["web-stable"])) == 0 {
				t.Errorf("%d replicas: %s", replicas, w)
			}
			return false
		})
		if next.Task != Succeeded {
			t.Errorf("%+v", next)
		}
	}
}

func TestPodsGoOnlyAfterTheirWeightHasGone(t *testing.T) {
	w := started(t, withServices(canaryRollout(10, weightStep(60), pauseStep(0), weightStep(20), pauseStep(0)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.verb, w.verbStep = VerbPromote, 1
	if w.do(Pause, ""); w.weight != 20 || wanted(w.set("web:2")) != 6 {
		t.Errorf("in the pass that lowers the weight: %s", w)
	}
	w.pass(time.Second)
	if w.do(Verify, ""); wanted(w.set("web:2")) != 2 {
		t.Errorf("when the router has taken it: %s", w)
	}
}

// A lost record is RUNNING again: what the stable Service says still counts.
func TestAMovedServiceIsForwardWhateverTheRecordSays(t *testing.T) {
	w := started(t, withServices(canaryRollout(3, weightStep(50), pauseStep(0)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.services["web-stable"], w.stage = hashOf(w.set("web:2")), Running
	if next := w.do(Pause, ""); next.Task == Pause || next.Task == Rollback || w.ro.Status.StableRS != hashOf(w.set("web:2")) {
		t.Errorf("%+v; %s", next, w)
	}
}
