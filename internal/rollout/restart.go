package rollout

import (
	"slices"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	corev1 "k8s.io/api/core/v1"
)

// restarting reports whether spec.restartAt is a time that the pods have not been restarted for.
func restarting(spec *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) bool {
	return spec.RestartAt != nil && (s.RestartedAt == nil || !spec.RestartAt.Time.Equal(s.RestartedAt.Time))
}

// restart evicts the pods that are older than spec.restartAt, as many at once as maxUnavailable allows and at least one
// (argo-rollouts rollout/restart.go). Those that do not serve are evicted at once.
func (d *decision) restart(next *Next) {
	if !restarting(&d.ro.Spec, d.status) || d.in.Now.Before(d.ro.Spec.RestartAt.Time) {
		return
	}
	if d.hash != d.ro.Status.CurrentPodHash || d.in.Task == Rollback && d.in.Stage != Aborted {
		return // the numbers are about to change
	}
	serving, old := int32(0), []*corev1.Pod{}
	for _, p := range d.in.Pods {
		if p.DeletionTimestamp != nil {
			continue
		}
		if isReady(p) {
			serving++
		}
		if p.CreationTimestamp.Before(d.ro.Spec.RestartAt) {
			old = append(old, p)
		}
	}
	if len(old) == 0 {
		d.status.RestartedAt = d.ro.Spec.RestartAt.DeepCopy()
		return
	}
	slices.SortStableFunc(old, func(a, b *corev1.Pod) int {
		switch ready := isReady(a); {
		case ready == isReady(b):
			return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
		case ready:
			return 1
		}
		return -1
	})
	spare := serving - min(d.replicas-d.offline, d.replicas-1)
	for _, p := range old {
		if isReady(p) {
			if spare <= 0 {
				break
			}
			spare--
		}
		d.changes.Evict = append(d.changes.Evict, p)
	}
	switch next.Task {
	case Succeeded:
		*next = d.wait(Ready, "pods are restarting")
	case RolledBack:
		*next = d.wait(Rollback, "pods are restarting")
	default:
	}
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
