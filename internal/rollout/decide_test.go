package rollout

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// started is a world whose first revision, web:1, is stable.
func started(t *testing.T, ro *v1alpha1.Rollout) *world {
	t.Helper()
	w := newWorld(t, ro)
	if next := w.run(Begin, nil); next.Task != Succeeded {
		t.Fatalf("the first revision: %+v; %s", next, w)
	}
	if w.ro.Status.StableRS != hashOf(w.set("web:1")) {
		t.Fatalf("the first revision is not stable: %s", w)
	}
	return w
}

func at(task Task) func(Next) bool { return func(n Next) bool { return n.Task == task } }

// path is what was visited without repetitions.
func (w *world) path() []Task { return slices.Compact(slices.Clone(w.visited)) }

func TestTheFirstRevisionIsStableOnlyWhenItIsAvailable(t *testing.T) {
	w := newWorld(t, withServices(canaryRollout(3, weightStep(10), pauseStep(0)), false))
	w.broken["web:1"] = true
	next := w.run(Begin, func(Next) bool { return len(w.visited) > 20 })
	if next.Task != Ready || w.ro.Status.StableRS != "" {
		t.Fatalf("%+v, stable %q", next, w.ro.Status.StableRS)
	}
	w.image("web:2") // is the first again: no steps, no pause
	if next := w.run(Begin, nil); next.Task != Succeeded {
		t.Fatalf("%+v; %s", next, w)
	}
	if got := w.ro.Status.StableRS; got != hashOf(w.set("web:2")) {
		t.Errorf("stable is %s", got)
	}
	if wanted(w.set("web:1")) != 0 {
		t.Errorf("the broken one is left: %s", w)
	}
	if w.ro.Status.Phase != v1alpha1.RolloutPhaseHealthy {
		t.Errorf("phase %s %s", w.ro.Status.Phase, w.ro.Status.Message)
	}
}

func TestARoutedCanaryGoesThroughItsSteps(t *testing.T) {
	w := started(t, withServices(canaryRollout(5, weightStep(10), pauseStep(60), analysisStep(), weightStep(60), pauseStep(0)), true))
	w.image("web:2")
	next := w.run(Begin, at(Analyze))
	if want := []Task{Begin, Ready, SetWeight, Verify, Pause}; !slices.Equal(w.path()[:4], want[:4]) {
		t.Errorf("visited %v", w.path())
	}
	if w.weight != 10 || wanted(w.set("web:2")) != 1 || wanted(w.set("web:1")) != 5 {
		t.Errorf("at 10%%: %s", w)
	}
	if len(next.Measure) != 1 || next.Measure[0].Step != 2 || next.Measure[0].Background {
		t.Fatalf("asks for %+v", next.Measure)
	}
	if status := w.ro.Status.Canary.CurrentStepAnalysisRunStatus; status == nil || status.Name != next.Measure[0].Name {
		t.Errorf("the status has no run: %+v", status)
	}
	w.runs = []Run{{Name: next.Measure[0].Name, Phase: v1alpha1.AnalysisPhaseSuccessful}}
	next = w.run(Analyze, func(n Next) bool { return n.Task == Pause && n.After == 0 })
	if w.weight != 60 || wanted(w.set("web:2")) != 3 || w.ro.Status.Phase != v1alpha1.RolloutPhasePaused {
		t.Errorf("at 60%%: %s", w)
	}
	w.verb, w.verbStep = VerbPromote, 4
	if next = w.run(Pause, nil); next.Task != Succeeded {
		t.Fatalf("%+v; %s", next, w)
	}
	if w.weight != 0 || w.services["web-stable"] != w.ro.Status.StableRS || w.services["web-canary"] != w.ro.Status.StableRS {
		t.Errorf("at the end: %s", w)
	}
	if wanted(w.set("web:1")) != 0 || wanted(w.set("web:2")) != 5 || w.ro.Status.Phase != v1alpha1.RolloutPhaseHealthy {
		t.Errorf("at the end: %s", w)
	}
}

func TestOldPodsAreLeftForTheScaleDownDelay(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50)), true))
	w.image("web:2")
	next := w.run(Begin, func(n Next) bool { return n.Task == ScaleDown && n.After > 5*time.Second })
	if next.After != 30*time.Second {
		t.Errorf("waits %v", next.After)
	}
	old := w.set("web:1")
	if want := w.now.Add(30 * time.Second).Format(time.RFC3339); old.Annotations[deadlineNote] != want || wanted(old) != 2 {
		t.Errorf("the old one wants %d until %q, not %s", wanted(old), old.Annotations[deadlineNote], want)
	}
	if w.weight != 0 || w.services["web-stable"] != hashOf(w.set("web:2")) {
		t.Errorf("scales down too early: %s", w)
	}
}

func TestARollbackPutsTheWeightAwayBeforeThePods(t *testing.T) {
	w := started(t, withServices(canaryRollout(4, weightStep(25), pauseStep(0)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.why = "analysis success-rate failed"
	next := w.do(Rollback, "")
	if w.weight != 0 || wanted(w.set("web:2")) != 1 {
		t.Errorf("after the first look: %s", w)
	}
	if next.Task != Rollback {
		t.Fatalf("%+v", next)
	}
	w.pass(time.Second)
	if next = w.run(Rollback, nil); next.Task != RolledBack || next.Reason != w.why {
		t.Fatalf("%+v", next)
	}
	s := w.ro.Status
	if !s.Abort || s.AbortedAt == nil || s.Phase != v1alpha1.RolloutPhaseDegraded || s.Message != "RolloutAborted: Rollout aborted update to revision 2: analysis success-rate failed" {
		t.Errorf("status: abort %v, %s %q", s.Abort, s.Phase, s.Message)
	}
	if w.services["web-canary"] != s.StableRS || wanted(w.set("web:2")) != 0 || wanted(w.set("web:1")) != 4 || *s.CurrentStepIndex != 0 {
		t.Errorf("at the end: %s", w)
	}
	// A retry begins at the first step, with the pods it needs.
	w.stage, w.why = Running, ""
	if next = w.run(Begin, at(Pause)); w.weight != 25 || w.ro.Status.Abort || w.ro.Status.AbortedAt != nil {
		t.Errorf("after a retry: %+v; %s", next, w)
	}
}

func TestAnAbortIsHeardUntilPromotingBegan(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50)), true))
	w.image("web:2")
	w.run(Begin, at(Promote))
	w.verb = VerbAbort
	if next := w.run(Promote, nil); next.Task != RolledBack || w.weight != 0 {
		t.Fatalf("%+v; %s", next, w)
	}
	w.image("web:3")
	w.stage = Running
	w.run(Begin, at(Promote))
	w.do(Promote, "")
	w.ro.Status.Abort = true // the plugin's patch, too late
	if next := w.run(Promote, nil); next.Task != Succeeded || w.ro.Status.Abort {
		t.Fatalf("%+v; %s", next, w)
	}
}

func TestACanaryWhosePodsDiedIsRolledBack(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50), pauseStep(0)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.broken["web:2"] = true
	w.pass(time.Second)
	if next := w.run(Pause, nil); next.Task != RolledBack || next.Reason != "no pod of the canary is available" {
		t.Fatalf("%+v; %s", next, w)
	}
}

func TestARollbackIsNotMadeIntoAStableThatServesNothing(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50), pauseStep(0)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.broken["web:1"] = true
	w.pass(time.Second)
	if next := w.run(Rollback, nil); next.Task != RollbackFailed || w.weight != 50 {
		t.Fatalf("%+v; %s", next, w)
	}
}

func TestANewRevisionLeavesTheWeightWhileStableServesNothing(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50), pauseStep(0)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.broken["web:1"] = true
	w.pass(time.Second)
	w.image("web:3")
	looks := 0
	next := w.run(Begin, func(Next) bool { looks++; return looks == 20 })
	if next.Task != Ready || w.weight != 50 || w.services["web-canary"] != hashOf(w.set("web:2")) || wanted(w.set("web:2")) == 0 {
		t.Fatalf("%+v; %s", next, w)
	}
	w.broken["web:1"] = false
	w.pass(time.Second)
	w.run(Ready, at(Pause))
	if w.weight != 50 || w.services["web-canary"] != hashOf(w.set("web:3")) || wanted(w.set("web:2")) != 0 {
		t.Errorf("stable serves again: %s", w)
	}
}

func TestANewRevisionTakesTheWeightFromPodsThatDoNotServeEither(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50), pauseStep(0)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.broken["web:1"], w.broken["web:2"] = true, true
	w.pass(time.Second)
	w.image("web:3")
	if w.do(Begin, ""); w.weight != 0 {
		t.Error(w)
	}
}

func TestALowerWeightWaitsForAStableThatServes(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50), pauseStep(0), weightStep(10), pauseStep(0)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.broken["web:1"] = true
	w.pass(time.Second)
	w.verb, w.verbStep = VerbPromote, 1
	if next := w.do(Pause, ""); next.Task != Ready || w.weight != 50 {
		t.Fatalf("%+v; %s", next, w)
	}
	w.broken["web:1"] = false
	w.pass(time.Second)
	if next := w.run(Ready, at(Pause)); w.weight != 10 {
		t.Errorf("%+v; %s", next, w)
	}
}

func TestPromoteFullSkipsStepsAndKeepsTheWeightUntilAllPodsAreThere(t *testing.T) {
	w := started(t, withServices(canaryRollout(4, weightStep(25), pauseStep(0), analysisStep()), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.ro.Status.PromoteFull = true // the plugin's patch
	next := w.do(Pause, "")
	if next.Task != Ready || w.weight != 25 || wanted(w.set("web:2")) != 4 {
		t.Fatalf("%+v; %s", next, w)
	}
	w.pass(time.Second)
	if next = w.run(Ready, nil); next.Task != Succeeded || w.ro.Status.PromoteFull {
		t.Fatalf("%+v; %s", next, w)
	}
}

func TestAPromoteEndsOneStepHoweverOftenItsTaskIsTried(t *testing.T) {
	w := started(t, withServices(canaryRollout(2, weightStep(50), pauseStep(0), pauseStep(0)), true))
	w.image("web:2")
	w.run(Begin, at(Pause))
	w.verb, w.verbStep = VerbPromote, 1
	for range 3 {
		if next := w.do(Pause, ""); next.Task != Pause || step(&w.ro.Status) != "2" {
			t.Fatalf("%+v; %s", next, w)
		}
	}
}

func TestThePluginsPatchPromotes(t *testing.T) {
	for _, c := range []struct {
		name  string
		patch func(*v1alpha1.RolloutStatus)
	}{
		{"paused", func(s *v1alpha1.RolloutStatus) { s.PauseConditions = nil }},
		{"running", func(s *v1alpha1.RolloutStatus) {
			n := *s.CurrentStepIndex + 1
			s.PauseConditions, s.CurrentStepIndex = nil, &n
		}},
	} {
		w := started(t, withServices(canaryRollout(2, weightStep(50), pauseStep(0), weightStep(60), pauseStep(0)), true))
		w.image("web:2")
		w.run(Begin, at(Pause))
		c.patch(&w.ro.Status)
		w.run(Pause, func(n Next) bool { return n.Task == Pause })
		if step(&w.ro.Status) != "3" || w.weight != 60 {
			t.Errorf("%s: %s", c.name, w)
		}
	}
}

func TestANewTemplateInTheMiddleBeginsAgain(t *testing.T) {
	for _, routed := range []bool{false, true} {
		w := started(t, withServices(canaryRollout(4, weightStep(25), weightStep(50), pauseStep(0)), routed))
		w.image("web:2")
		next := w.run(Begin, at(Pause))
		w.image("web:3")
		if late := w.do(Pause, next.Hash); late.Task != Superseded || !cmp.Equal(w.last, Changes{}) {
			t.Errorf("routed %v: the old execution: %+v", routed, late)
		}
		first := w.do(Begin, "")
		if routed && (w.weight != 0 || wanted(w.set("web:2")) == 0) {
			t.Errorf("the weight must go first: %+v; %s", first, w)
		}
		w.pass(time.Second)
		if next = w.run(Verify, at(Pause)); step(&w.ro.Status) != "2" || wanted(w.set("web:2")) != 0 {
			t.Errorf("routed %v: %+v; %s", routed, next, w)
		}
		if w.ro.Status.StableRS != hashOf(w.set("web:1")) {
			t.Errorf("routed %v: stable has changed", routed)
		}
		w.image("web:1") // back to stable: no steps, no pause
		if next = w.run(Begin, nil); next.Task != Succeeded || w.set("web:1").Annotations[revisionNote] != "4" || w.set("web:1").Annotations[historyNote] != "1" {
			t.Errorf("routed %v: back to stable: %+v; %v", routed, next, w.set("web:1").Annotations)
		}
	}
}
