package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// decision is one pass: what was read, and copies of it that become what is to be.
type decision struct {
	in             In
	ro             *v1alpha1.Rollout
	canary         *v1alpha1.CanaryStrategy
	now            metav1.Time
	routed         bool // a router divides the traffic; otherwise the numbers of pods do
	replicas       int32
	surge, offline int32 // maxSurge and maxUnavailable in pods
	hash           string
	current        *appsv1.ReplicaSet // of the template; never nil
	stable         *appsv1.ReplicaSet // nil before there is one; may be current
	others         []*appsv1.ReplicaSet
	before         map[string]*appsv1.ReplicaSet
	status         *v1alpha1.RolloutStatus
	changes        Changes
	measure        []Measurement
	why            string // an abort's reason
}

// Decide is what a task does now and what comes after it. It is idempotent: decided again on what its changes made, it
// changes nothing more but goes on. The Rollout is one that Decode has read.
//
// Where it deviates from Argo Rollouts:
//   - The first revision becomes stable when it is available, not at once; until then the next one is the first again.
//   - A canary never has zero pods while it has weight, and see Split.
//   - An analysis begins only when the router has taken the weight.
//   - A canary with weight whose pods have all gone is rolled back; Argo sets the weight to 0 and waits.
//   - status.HPAReplicas and status.selector are those of stable where a router divides the traffic.
//   - Where pods are the weight, the last stable pod stays until the stable Service selects the new revision; Argo takes
//     it away at weight 100 and leaves the Service without endpoints for a moment.
//   - No weight is taken from pods that serve while stable serves nothing: a new revision and a lower setWeight wait, a
//     rollback waits and then fails.
func Decide(in In) (Changes, Next, error) {
	ro := in.Rollout
	d := &decision{
		in: in, ro: ro, canary: ro.Spec.Strategy.Canary, routed: ro.Spec.Strategy.Canary.TrafficRouting != nil,
		now: metav1.NewTime(in.Now.UTC().Truncate(time.Second)), replicas: Replicas(ro),
		before: map[string]*appsv1.ReplicaSet{}, status: ro.Status.DeepCopy(), why: in.Why,
	}
	d.surge, d.offline = limits(ro)
	if err := d.identify(); err != nil {
		return Changes{}, Next{}, err
	}
	if in.Hash != "" && in.Hash != d.hash {
		return Changes{}, Next{Task: Superseded, Hash: in.Hash, Reason: "the template changed"}, nil
	}
	if !d.late() {
		if err := d.reset(); err != nil {
			return Changes{}, Next{}, err
		}
	}
	next := d.course()
	d.report(&next)
	d.history()
	d.compare()
	next.Hash, next.Measure = d.hash, d.measure
	return d.changes, next, nil
}

// late reports whether a rollback finds that the template has moved on. It puts back what its own revision did and
// leaves the rest to the execution of the new one (rule 11).
func (d *decision) late() bool {
	if d.in.Task != Rollback || d.in.Hash == "" {
		return false
	}
	hash, err := PodHash(&d.ro.Spec.Template, d.status.CollisionCount)
	return err == nil && hash != d.in.Hash && d.ro.Status.CurrentPodHash == d.in.Hash && d.ro.Status.ObservedGeneration != strconv.FormatInt(d.ro.Generation, 10)
}

// reset begins again where the template or the steps are not those of the status: pauses, abort, promote-full and runs
// of the old ones are void, stable stays. Back to stable means that there are no steps to go (sync.go, canary.go).
func (d *decision) reset() error {
	steps, err := StepHash(d.canary.Steps)
	if err != nil {
		return err
	}
	s := d.status
	if s.CurrentPodHash == d.hash && s.CurrentStepHash == steps {
		return nil
	}
	d.terminateRuns()
	s.CurrentPodHash, s.CurrentStepHash = d.hash, steps
	s.PauseConditions, s.ControllerPause, s.Abort, s.AbortedAt, s.PromoteFull = nil, false, false, nil, false
	s.Canary.CurrentStepAnalysisRunStatus, s.Canary.CurrentBackgroundAnalysisRunStatus = nil, nil
	if s.StableRS == d.hash {
		d.setStep(d.lastStep())
		return nil
	}
	d.setStep(0)
	return nil
}

// course tells the situation; the order is the protocol's. A rollback knows what else may be going on.
func (d *decision) course() Next {
	d.obey()
	switch {
	case d.stable == nil:
		return d.first()
	case d.stable == d.current:
		return d.settle()
	case d.in.Task == Rollback:
		return d.back()
	case d.moved(), d.in.Stage == Promoting:
		return d.promote()
	case d.in.Stage == Aborting, d.status.Abort:
		return Next{Task: Rollback, Reason: d.why}
	}
	return d.forward()
}

// obey writes what was asked into the status, where the plugin would have patched it.
func (d *decision) obey() {
	s := d.status
	if d.in.Task == Begin { // what was patched before this execution began was meant for another one (rule 6)
		s.Abort, s.PromoteFull = false, false
		if s.AbortedAt != nil { // a retry measures anew (argo-rollouts rollout/analysis.go, needsNewAnalysisRun)
			s.Canary.CurrentStepAnalysisRunStatus, s.Canary.CurrentBackgroundAnalysisRunStatus = nil, nil
		}
	}
	switch d.in.Verb {
	case VerbAbort:
		s.Abort = true
	case VerbRetry: // starts an execution of its own: see Begin above
	case VerbPromoteFull:
		s.PromoteFull = true
	case VerbPromote:
		d.changes.UnpauseSpec = d.ro.Spec.Paused
	}
	if d.in.Stage == Promoting || d.hash == s.StableRS {
		s.Abort = false // refused, or there is nothing to go back from (rule 9)
	}
	if d.hash == s.StableRS {
		s.PromoteFull = false
	}
	if s.Abort && s.AbortedAt == nil {
		s.AbortedAt = &d.now
	}
	if s.Abort {
		s.PauseConditions, s.ControllerPause = nil, false
		d.setStep(0)
		return
	}
	s.AbortedAt = nil
}

// moved reports whether the stable Service selects the current revision already: from there on it only goes forward
// (rules 10 and 11).
func (d *decision) moved() bool {
	return d.canary.StableService != "" && d.in.Services[d.canary.StableService] == d.hash
}

// selected reports whether a Service of the Rollout selects the pods with a hash, or will.
func (d *decision) selected(hash string) bool {
	for _, service := range []string{d.canary.StableService, d.canary.CanaryService} {
		if service == "" {
			continue
		}
		if d.in.Services[service] == hash || slices.Contains(d.changes.Select, Selection{service, hash}) {
			return true
		}
	}
	return false
}

// point makes a Service select the pods with a hash.
func (d *decision) point(service, hash string) {
	if service == "" || d.in.Services[service] == hash {
		return
	}
	d.changes.Select = append(d.changes.Select, Selection{service, hash})
}

// weigh gives the canary a weight, and reports whether the router has it already.
func (d *decision) weigh(weight int32) bool {
	if d.in.Weight == weight {
		return d.in.Verified
	}
	d.changes.Weight = &weight
	return false
}

// stays reports whether the weight must stay where it is: its pods serve, and stable has none that could take it (rules 6
// and 11).
func (d *decision) stays() bool {
	if !d.routed || d.in.Weight == 0 || d.replicas == 0 || available(d.stable) > 0 {
		return false
	}
	carries := withHash(d.all(), d.in.Services[d.canary.CanaryService])
	return carries != d.stable && available(carries) > 0
}

// staying says that it does.
func (d *decision) staying() string {
	return fmt.Sprintf("stable %s has no available pod: weight %d stays where it is", d.stable.Name, d.in.Weight)
}

// scale gives a ReplicaSet a number of pods. Pods that are wanted again have no date to go any more.
func (d *decision) scale(rs *appsv1.ReplicaSet, n int32) {
	rs.Spec.Replicas = &n
	note(rs, desiredNote, strconv.Itoa(int(d.replicas)))
}

// wait is Next with the pauses between looks: 1, 1, 2, 3, 5, 5 s and so on.
func (d *decision) wait(task Task, reason string) Next {
	return Next{Task: task, After: backoff(d.in.Tries), Reason: reason}
}

// backoff is how long to wait before look number tries + 1.
func backoff(tries int) time.Duration {
	looks := []time.Duration{1, 1, 2, 3, 5}
	return looks[min(max(tries, 0), len(looks)-1)] * time.Second
}
