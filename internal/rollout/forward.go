package rollout

import (
	"fmt"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// forward goes on with the steps. First what carries weight is made safe: the canary Service selects this revision
// before any weight is given to it (rule 6), and a canary that serves nothing loses its weight (rules 7 and 14). Neither
// while stable has no pod to take the weight from pods that serve (rule 6).
func (d *decision) forward() Next {
	if service := d.canary.CanaryService; service != "" && d.in.Services[service] != d.hash {
		if d.stays() {
			d.scale(d.stable, d.replicas)
			return d.wait(Ready, d.staying())
		}
		if d.routed && !d.weigh(0) {
			return d.wait(Verify, "the weight of the revision before goes to 0")
		}
		d.point(service, d.hash)
	}
	if d.routed && d.in.Weight > 0 && available(d.current) == 0 && d.replicas > 0 {
		d.why = "no pod of the canary is available"
		return Next{Task: Rollback, Reason: d.why}
	}
	if d.ro.Spec.Paused && !d.changes.UnpauseSpec {
		return Next{Task: Pause, Reason: "manually paused"}
	}
	if d.status.PromoteFull {
		d.terminateRuns()
		d.status.PauseConditions, d.status.ControllerPause = nil, false
		d.setStep(d.lastStep())
	}
	for {
		next, done := d.step()
		if !done {
			return next
		}
		d.advance()
	}
}

// step does what the current step asks for; done means that the next one may follow at once.
func (d *decision) step() (next Next, done bool) {
	d.forget()
	ready := d.place(d.weight())
	if next, ok := d.background(ready); !ok {
		return next, false
	}
	if next, ok := d.inconclusive(); !ok {
		return next, false
	}
	if next, ok := d.traffic(ready); !ok {
		return next, false
	}
	step := d.currentStep()
	switch {
	case step == nil && ready:
		return Next{Task: Promote, Reason: "all steps are done"}, false
	case step == nil:
		return d.wait(Ready, d.missing()), false
	case d.promotes():
		return Next{}, true
	case step.Pause != nil:
		return d.pause(step.Pause)
	case step.Analysis != nil:
		return d.inline(step.Analysis)
	case !ready: // setWeight or setCanaryScale
		return d.wait(Ready, d.missing()), false
	}
	return Next{}, true
}

// traffic brings the router to the step's weight. Down is allowed unless stable cannot take it. Up is SetWeight's alone,
// whose claim cleared the token, and only when the pods that are to carry it serve (rule 7).
func (d *decision) traffic(ready bool) (Next, bool) {
	weight := d.weight()
	switch {
	case !d.routed, d.status.PromoteFull, d.currentStep() == nil && weight > d.in.Weight: // Promote gives the last weight
		return Next{}, true
	case weight < d.in.Weight && d.stays():
		return d.wait(Ready, d.staying()), false
	case weight < d.in.Weight:
		d.weigh(weight)
		return d.wait(Verify, fmt.Sprintf("the weight goes down to %d", weight)), false
	case weight == d.in.Weight:
		if !d.in.Verified {
			return d.wait(Verify, fmt.Sprintf("the router has not taken weight %d yet", weight)), false
		}
		return Next{}, true
	case !ready || available(d.current) == 0:
		return d.wait(Ready, d.missing()), false
	case d.in.Task != SetWeight:
		return Next{Task: SetWeight}, false
	}
	d.weigh(weight)
	return d.wait(Verify, fmt.Sprintf("the weight goes up to %d", weight)), false
}

// pause waits until its time is over or somebody has promoted: then the pause condition is gone from the status while
// controllerPause is still there (argo-rollouts rollout/pause.go).
func (d *decision) pause(p *v1alpha1.RolloutPause) (Next, bool) {
	s := d.status
	var since *v1alpha1.PauseCondition
	for i := range s.PauseConditions {
		if s.PauseConditions[i].Reason == v1alpha1.PauseReasonCanaryPauseStep {
			since = &s.PauseConditions[i]
		}
	}
	if since == nil && s.ControllerPause {
		return Next{}, true
	}
	if since == nil {
		since = &v1alpha1.PauseCondition{Reason: v1alpha1.PauseReasonCanaryPauseStep, StartTime: d.now}
		s.PauseConditions, s.ControllerPause = append(s.PauseConditions, *since), true
	}
	length, ends := pauseFor(p)
	if !ends {
		return Next{Task: Pause, Reason: "paused until it is promoted"}, false
	}
	if left := since.StartTime.Add(length).Sub(d.in.Now); left > 0 {
		return Next{Task: Pause, After: left, Reason: "paused for " + length.String()}, false
	}
	return Next{}, true
}

// promotes reports whether a person ended this very step. A promote that was given at another step is void: a task that
// is tried again must not skip two.
func (d *decision) promotes() bool {
	return d.in.Verb == VerbPromote && d.in.VerbStep == d.index()
}

// advance goes to the next step.
func (d *decision) advance() {
	s := d.status
	if run := s.Canary.CurrentStepAnalysisRunStatus; run != nil && !run.Status.Completed() {
		d.changes.Terminate = append(d.changes.Terminate, run.Name)
	}
	s.PauseConditions, s.ControllerPause, s.Canary.CurrentStepAnalysisRunStatus = nil, false, nil
	d.measure = nil // that of the background is asked for again
	d.setStep(d.index() + 1)
}

// index is the current step's; lastStep is the number of steps, which is the index after all of them.
func (d *decision) index() int32 {
	if d.status.CurrentStepIndex == nil {
		return 0
	}
	return min(*d.status.CurrentStepIndex, d.lastStep())
}

func (d *decision) lastStep() int32 { return int32(len(d.canary.Steps)) } //nolint:gosec // an object of a cluster has 1.5 MB

func (d *decision) setStep(i int32) {
	if len(d.canary.Steps) == 0 {
		d.status.CurrentStepIndex = nil
		return
	}
	d.status.CurrentStepIndex = &i
}

// currentStep is nil when all steps are done.
func (d *decision) currentStep() *v1alpha1.CanaryStep {
	if i := d.index(); i < d.lastStep() {
		return &d.canary.Steps[i]
	}
	return nil
}

// weight is the canary's at the current step: the last setWeight up to it, 0 before the first, 100 after the last step.
func (d *decision) weight() int32 {
	if d.routed && d.replicas == 0 {
		return 0 // there are no pods to carry any
	}
	if d.currentStep() == nil {
		return fullWeight
	}
	for i := d.index(); i >= 0; i-- {
		if w := d.canary.Steps[i].SetWeight; w != nil {
			return *w
		}
	}
	return 0
}

// missing says which pods are waited for.
func (d *decision) missing() string {
	return fmt.Sprintf("%d of %d pods of %s are available", available(d.current), wanted(d.current), d.current.Name)
}

// untilTime is how long from now until t, at least a second, so that a wait is one.
func (d *decision) untilTime(t time.Time) time.Duration { return max(t.Sub(d.in.Now), time.Second) }
