package rollout

import (
	"reflect"
	"strconv"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// report writes into the status what kubectl argo rollouts, an autoscaler and a dashboard read. A passed progress deadline
// may turn next into a rollback.
func (d *decision) report(next *Next) {
	s := d.status
	d.counts()
	if !d.late() {
		s.ObservedGeneration = strconv.FormatInt(d.ro.Generation, 10)
	}
	s.WorkloadObservedGeneration = ""
	d.restart(next)
	if d.conditions(next) && d.stable != nil && d.ro.Spec.ProgressDeadlineAbort && next.Task != Rollback && d.in.Task != Rollback && d.in.Stage != Promoting && d.stable != d.current {
		d.why = d.timedOutMessage()
		*next = Next{Task: Rollback, Reason: d.why}
	}
	spec := d.ro.Spec
	spec.Paused = spec.Paused && !d.changes.UnpauseSpec
	s.Phase, s.Message = phase(&spec, s)
	if !reflect.DeepEqual(s, &d.ro.Status) {
		d.changes.Status = s
	}
}

// counts are of all pods that exist. An autoscaler sees stable alone where a router divides the traffic: counting the
// canary's pods made it scale too far (argo-rollouts #2857, #3849, #4369).
func (d *decision) counts() {
	s := d.status
	s.Replicas, s.ReadyReplicas, s.AvailableReplicas = 0, 0, 0
	for _, rs := range d.all() {
		s.Replicas += rs.Status.Replicas
		s.ReadyReplicas += rs.Status.ReadyReplicas
		s.AvailableReplicas += rs.Status.AvailableReplicas
	}
	s.UpdatedReplicas = d.current.Status.Replicas
	s.HPAReplicas = s.Replicas
	selector := d.ro.Spec.Selector.DeepCopy()
	if d.routed && d.stable != nil {
		s.HPAReplicas = d.stable.Status.Replicas
		selector = metav1.AddLabelToSelector(selector, hashLabel, hashOf(d.stable))
	}
	s.Selector = metav1.FormatLabelSelector(selector)
	if !d.routed {
		s.Canary.Weights = nil
		return
	}
	weight, verified := d.in.Weight, d.in.Verified
	if w := d.changes.Weight; w != nil {
		weight, verified = *w, false
	}
	s.Canary.Weights = &v1alpha1.TrafficWeights{
		Canary:   v1alpha1.WeightDestination{Weight: weight, ServiceName: d.canary.CanaryService, PodTemplateHash: d.hash},
		Stable:   v1alpha1.WeightDestination{Weight: fullWeight - weight, ServiceName: d.canary.StableService, PodTemplateHash: s.StableRS},
		Verified: &verified,
	}
}

// all is every ReplicaSet once.
func (d *decision) all() []*appsv1.ReplicaSet {
	out := append([]*appsv1.ReplicaSet{d.current}, d.others...)
	if d.stable != nil && d.stable != d.current {
		out = append(out, d.stable)
	}
	return out
}

// phase and its message, in the words of utils/rollout CalculateRolloutPhase: the plugin prints them and scripts wait
// for them.
func phase(spec *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) (v1alpha1.RolloutPhase, string) {
	for _, c := range s.Conditions {
		switch {
		case c.Type == v1alpha1.InvalidSpec:
			return v1alpha1.RolloutPhaseDegraded, string(v1alpha1.InvalidSpec) + ": " + c.Message
		case c.Reason == reasonAborted, c.Reason == reasonTimedOut:
			return v1alpha1.RolloutPhaseDegraded, c.Reason + ": " + c.Message
		}
	}
	replicas := int32(1)
	if spec.Replicas != nil {
		replicas = *spec.Replicas
	}
	switch {
	case spec.Paused:
		return v1alpha1.RolloutPhasePaused, "manually paused"
	case len(s.PauseConditions) > 0:
		return v1alpha1.RolloutPhasePaused, string(s.PauseConditions[0].Reason)
	case restarting(spec, s):
		return v1alpha1.RolloutPhaseProgressing, "rollout is restarting"
	case s.UpdatedReplicas < replicas:
		return v1alpha1.RolloutPhaseProgressing, "more replicas need to be updated"
	case s.AvailableReplicas < s.UpdatedReplicas:
		return v1alpha1.RolloutPhaseProgressing, "updated replicas are still becoming available"
	case spec.Strategy.Canary.TrafficRouting == nil && s.Replicas > s.UpdatedReplicas:
		return v1alpha1.RolloutPhaseProgressing, "old replicas are pending termination"
	case s.StableRS == "" || s.StableRS != s.CurrentPodHash:
		return v1alpha1.RolloutPhaseProgressing, "waiting for all steps to complete"
	}
	return v1alpha1.RolloutPhaseHealthy, ""
}
