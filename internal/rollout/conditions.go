package rollout

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Reasons that clients look for (argo-rollouts utils/conditions/conditions.go).
const (
	reasonAborted      = "RolloutAborted"
	reasonTimedOut     = "ProgressDeadlineExceeded"
	reasonPaused       = "RolloutPaused"
	reasonResumed      = "RolloutResumed"
	reasonRetry        = "RolloutRetry"
	reasonHealthy      = "RolloutHealthy"
	reasonCompleted    = "RolloutCompleted"
	reasonAvailable    = "AvailableReason"
	reasonUpdated      = "ReplicaSetUpdated"
	reasonDone         = "NewReplicaSetAvailable"
	reasonNotAvailable = "ReplicaSetNotAvailable"
)

// conditions brings the conditions up to date and reports whether the progress deadline has passed.
func (d *decision) conditions(next *Next) (timedOut bool) {
	s := d.status
	s.Conditions = slices.Clone(s.Conditions)
	s.Conditions = slices.DeleteFunc(s.Conditions, func(c v1alpha1.RolloutCondition) bool { return c.Type == v1alpha1.InvalidSpec })
	paused := len(s.PauseConditions) > 0 || d.ro.Spec.Paused && !d.changes.UnpauseSpec
	d.pausing(paused)
	fell := d.health(paused)
	timedOut = d.progress(fell, paused, next)

	if s.AvailableReplicas >= d.replicas {
		d.set(v1alpha1.RolloutAvailable, corev1.ConditionTrue, reasonAvailable, "Rollout has minimum availability")
	} else {
		d.set(v1alpha1.RolloutAvailable, corev1.ConditionFalse, reasonAvailable, "Rollout does not have minimum availability")
	}
	d.replicaFailure()
	completed := corev1.ConditionFalse
	if s.StableRS != "" && s.StableRS == s.CurrentPodHash {
		completed = corev1.ConditionTrue
	}
	d.set(v1alpha1.RolloutCompleted, completed, reasonCompleted, reasonCompleted)
	return timedOut
}

// pausing says when a pause, or an abort, began or ended.
func (d *decision) pausing(paused bool) {
	s, progress := d.status, d.condition(v1alpha1.RolloutProgressing)
	reason := ""
	if progress != nil {
		reason = progress.Reason
	}
	aborted := reason == reasonAborted
	completed := s.StableRS != "" && s.StableRS == s.CurrentPodHash
	if !aborted && !completed && paused != (reason == reasonPaused) {
		if paused {
			d.set(v1alpha1.RolloutProgressing, corev1.ConditionUnknown, reasonPaused, "Rollout is paused")
		} else {
			d.set(v1alpha1.RolloutProgressing, corev1.ConditionUnknown, reasonResumed, "Rollout is resumed")
		}
	}
	if aborted && !s.Abort {
		d.set(v1alpha1.RolloutProgressing, corev1.ConditionUnknown, reasonRetry, "Retrying Rollout after abort")
	}
	status := corev1.ConditionFalse
	if paused {
		status = corev1.ConditionTrue
	}
	if c := d.condition(v1alpha1.RolloutPaused); !aborted && (c != nil || paused) {
		d.set(v1alpha1.RolloutPaused, status, reasonPaused, "Rollout is paused")
	}
}

// healthy is what condition Healthy means: everything is of the current revision, available, stable, and nothing is left.
func (d *decision) healthy() bool {
	s := d.status
	return s.UpdatedReplicas == d.replicas && s.AvailableReplicas == d.replicas && s.Replicas == d.replicas &&
		s.StableRS != "" && s.StableRS == s.CurrentPodHash
}

// health sets condition Healthy and reports whether it has just been lost.
func (d *decision) health(paused bool) bool {
	if !paused && d.healthy() {
		d.set(v1alpha1.RolloutHealthy, corev1.ConditionTrue, reasonHealthy, "Rollout is healthy")
		return false
	}
	c := d.condition(v1alpha1.RolloutHealthy)
	if c == nil {
		return false
	}
	was := c.Status == corev1.ConditionTrue
	d.set(v1alpha1.RolloutHealthy, corev1.ConditionFalse, reasonHealthy, "Rollout is not healthy")
	return was
}

// progress sets condition Progressing, whose last update is what the deadline is counted from, and reports whether that
// has passed. It is not counted in pauses and analyses, nor while old pods wait for their end (rollout/sync.go).
func (d *decision) progress(fell, paused bool, next *Next) bool {
	if d.status.Abort {
		message := fmt.Sprintf("Rollout aborted update to revision %d", revisionOf(d.current))
		if d.why != "" {
			message += ": " + d.why
		}
		if c := d.condition(v1alpha1.RolloutProgressing); c == nil || c.Reason != reasonAborted {
			d.set(v1alpha1.RolloutProgressing, corev1.ConditionFalse, reasonAborted, message)
		}
		return false
	}
	switch {
	case d.healthy():
		d.set(v1alpha1.RolloutProgressing, corev1.ConditionTrue, reasonDone, fmt.Sprintf("ReplicaSet %q has successfully progressed.", d.current.Name))
	case paused: // what pausing has said stays, and its end is when the deadline begins again
		return false
	case fell && d.status.StableRS == d.status.CurrentPodHash:
		d.touch(reasonNotAvailable, "Rollout does not have minimum availability")
	case d.progressed() || fell:
		d.touch(reasonUpdated, fmt.Sprintf("ReplicaSet %q is progressing.", d.current.Name))
	case next.Task == Pause || next.Task == Analyze || next.Task == ScaleDown:
		return false
	case d.overdue():
		d.set(v1alpha1.RolloutProgressing, corev1.ConditionFalse, reasonTimedOut, d.timedOutMessage())
		if next.Task == Ready {
			next.After = time.Minute // Degraded, and nothing else than pods that come will change it
		}
		return true
	}
	return false
}

func (d *decision) timedOutMessage() string {
	return fmt.Sprintf("ReplicaSet %q has timed out progressing.", d.current.Name)
}

// overdue reports whether the progress deadline has passed, now or before.
func (d *decision) overdue() bool {
	c := d.condition(v1alpha1.RolloutProgressing)
	return c != nil && (c.Reason == reasonTimedOut || passed(c, &d.ro.Spec, d.in.Now))
}

// passed reports whether there was no progress for progressDeadlineSeconds (600), where progress is waited for.
func passed(c *v1alpha1.RolloutCondition, spec *v1alpha1.RolloutSpec, now time.Time) bool {
	if slices.Contains([]string{reasonPaused, reasonAborted, reasonTimedOut, reasonDone}, c.Reason) {
		return false
	}
	limit := 600 * time.Second
	if s := spec.ProgressDeadlineSeconds; s != nil {
		limit = time.Duration(*s) * time.Second
	}
	return c.LastUpdateTime.Add(limit).Before(now)
}

// Overdue reports whether the progress deadline has passed and the status does not say so: nothing in the cluster changes
// by that, so it is the tick that must see it.
func Overdue(ro *v1alpha1.Rollout, now time.Time) bool {
	for i := range ro.Status.Conditions {
		if c := &ro.Status.Conditions[i]; c.Type == v1alpha1.RolloutProgressing {
			return !ro.Spec.Paused && len(ro.Status.PauseConditions) == 0 && passed(c, &ro.Spec, now)
		}
	}
	return false
}

// progressed compares with the status that was read: more updated, ready or available pods, fewer old ones, another
// step, another stable revision.
func (d *decision) progressed() bool {
	s, was := d.status, &d.ro.Status
	return s.UpdatedReplicas != was.UpdatedReplicas || s.Replicas-s.UpdatedReplicas < was.Replicas-was.UpdatedReplicas ||
		s.ReadyReplicas > was.ReadyReplicas || s.AvailableReplicas > was.AvailableReplicas || s.StableRS != was.StableRS ||
		s.CurrentPodHash != was.CurrentPodHash || s.CurrentStepHash != was.CurrentStepHash || step(s) != step(was)
}

// step is the index in words, so that none differs from the first.
func step(s *v1alpha1.RolloutStatus) string {
	if s.CurrentStepIndex == nil {
		return ""
	}
	return strconv.Itoa(int(*s.CurrentStepIndex))
}

// replicaFailure copies a ReplicaSet's failure, such as a quota that is used up; the current one's before others'.
func (d *decision) replicaFailure() {
	for _, rs := range d.all() {
		for _, c := range rs.Status.Conditions {
			if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
				d.set(v1alpha1.RolloutReplicaFailure, c.Status, c.Reason, c.Message)
				return
			}
		}
	}
	d.status.Conditions = slices.DeleteFunc(d.status.Conditions, func(c v1alpha1.RolloutCondition) bool { return c.Type == v1alpha1.RolloutReplicaFailure })
}

// condition is the one of a type, nil when there is none.
func (d *decision) condition(t v1alpha1.RolloutConditionType) *v1alpha1.RolloutCondition {
	for i := range d.status.Conditions {
		if d.status.Conditions[i].Type == t {
			return &d.status.Conditions[i]
		}
	}
	return nil
}

// set writes a condition where its status or reason changes. The transition time moves with the status alone.
func (d *decision) set(t v1alpha1.RolloutConditionType, status corev1.ConditionStatus, reason, message string) {
	c := d.condition(t)
	if c != nil && c.Status == status && c.Reason == reason {
		return
	}
	fresh := v1alpha1.RolloutCondition{Type: t, Status: status, Reason: reason, Message: message, LastUpdateTime: d.now, LastTransitionTime: d.now}
	if c == nil {
		d.status.Conditions = append(d.status.Conditions, fresh)
		return
	}
	if c.Status == status {
		fresh.LastTransitionTime = c.LastTransitionTime
	}
	*c = fresh
}

// touch says that there is progress: it renews the time also where nothing else changes.
func (d *decision) touch(reason, message string) {
	if c := d.condition(v1alpha1.RolloutProgressing); c != nil && c.Status == corev1.ConditionTrue && c.Reason == reason {
		c.LastUpdateTime, c.Message = d.now, message
		return
	}
	d.set(v1alpha1.RolloutProgressing, corev1.ConditionTrue, reason, message)
}
