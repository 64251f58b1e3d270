package drive

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/traffic"
)

// law holds what no write may ever do (reference argo-rollouts.md 5.2).
type law struct {
	*scene
	served map[string]time.Time // ReplicaSets by hash: when they last had an available pod
	mu     sync.Mutex
	ends   map[string]int // how often executions ended how
}

// count tells what a write of the record has ended.
func (l *law) count(before, after record.Rollout) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case before.Stage == record.Promoting && after.Stage == record.Healthy:
		l.ends["promoted"]++
	case before.Stage == record.Aborting && after.Stage == record.Aborted:
		l.ends["aborted"]++
	case before.Stage == record.Running && after.Execution != before.Execution:
		l.ends["superseded"]++
	case before.Stage == record.Aborting && after.Execution != before.Execution:
		l.ends["superseded in a rollback"]++
	case after.Fence != before.Fence && after.Stage != record.Running && !after.Stage.Ended():
		l.ends["cleaned up"]++
	}
}

func newLaw(s *scene) *law {
	l := &law{scene: s, served: map[string]time.Time{}, ends: map[string]int{}}
	s.memory.watch = l.wrote
	return l
}

// hung is how long a task may hang between its look at the pods and its write; the fence cannot know how pods are.
const hung = 95 * time.Second

// wrote is called under the cluster's lock.
func (l *law) wrote(old, u *unstructured.Unstructured) {
	for id, rs := range l.memory.objects {
		if n, _, _ := unstructured.NestedInt64(rs.Object, "status", "availableReplicas"); id.Kind == "ReplicaSet" && n > 0 {
			l.served[rs.GetLabels()[hashLabel]] = time.Now()
		}
	}
	switch {
	case u == nil:
		if old.GetKind() == "ReplicaSet" && l.selected(old) {
			l.t.Errorf("I5: deletes %s, which a Service selects", old.GetName())
		}
	case u.GetKind() == "HTTPRoute":
		l.weighed(old, u)
	case u.GetKind() == "ReplicaSet" && old != nil:
		l.scaled(old, u)
	}
}

// weighed holds I2 and I3.
func (l *law) weighed(old, u *unstructured.Unstructured) {
	before, after := weightOf(l, old), weightOf(l, u)
	if after < 0 || after > 100 {
		l.t.Errorf("I2: weight %d", after)
	}
	hash := traffic.Selected(l.memory.objects[web.of(serviceKind, "order-service-canary")])
	if after > before && time.Since(l.served[hash]) > hung {
		l.t.Errorf("I3: weight %d, before %d, on %s, which has served nothing since %s", after, before, hash, l.served[hash])
	}
}

func weightOf(l *law, u *unstructured.Unstructured) int32 {
	gateway := traffic.Gateway{Stable: web.Name + "-stable", Canary: web.Name + "-canary", Namespace: web.Namespace}
	weight, _, _, err := gateway.Verify([]*unstructured.Unstructured{u})
	if err != nil {
		l.t.Error(err)
	}
	return weight
}

// scaled holds I5: what traffic reaches keeps pods.
func (l *law) scaled(old, u *unstructured.Unstructured) {
	before, _, _ := unstructured.NestedInt64(old.Object, "spec", "replicas")
	after, _, _ := unstructured.NestedInt64(u.Object, "spec", "replicas")
	if after == 0 && before > 0 && l.selected(u) {
		l.t.Errorf("I5: takes all pods of %s, to which traffic goes: %s", u.GetName(), l.memory.objects[web.of(routeKind, web.Name)].Object["spec"])
	}
}

// selected reports whether traffic reaches a ReplicaSet.
func (l *law) selected(rs *unstructured.Unstructured) bool {
	hash := rs.GetLabels()[hashLabel]
	if traffic.Selected(l.memory.objects[web.of(serviceKind, "order-service-stable")]) == hash {
		return true
	}
	return traffic.Selected(l.memory.objects[web.of(serviceKind, "order-service-canary")]) == hash &&
		weightOf(l, l.memory.objects[web.of(routeKind, web.Name)]) > 0
}

// lawful is the store of records: it fails now and then, and holds what no record may become.
type lawful struct {
	Rollouts
	l *aLife
}

func (s lawful) Update(ctx context.Context, rollout string, change func(*record.Rollout) error) (record.Rollout, error) {
	var before record.Rollout
	after := record.Rollout{}
	err := s.l.around("record", manifest.ID{Kind: "record"}, func() (err error) {
		after, err = s.Rollouts.Update(ctx, rollout, func(r *record.Rollout) error {
			before = *r
			return change(r)
		})
		return err
	})
	if after.Rollout == "" {
		return after, err
	}
	s.l.law.count(before, after)
	switch {
	case after.Fence < before.Fence:
		s.l.t.Errorf("the fence goes back: %d, %d", before.Fence, after.Fence)
	case after.Fence == before.Fence && after.Step < before.Step:
		s.l.t.Errorf("rule 3: attempt %d after %d", after.Step, before.Step)
	case before.Verb == record.Abort && before.Stage == record.Running && after.Stage == record.Promoting:
		s.l.t.Errorf("R5: promoted after an accepted abort")
	case before.Stage == record.Promoting && after.Stage == record.Running:
		s.l.t.Errorf("superseded while it was being promoted")
	case after.Execution != before.Execution && after.Revision != before.Revision && before.Rejects(after.Revision) && before.Stage != record.Aborted:
		s.l.t.Errorf("R7: revision %s was rejected, and is started again", after.Revision)
	}
	if fault.IsInFlight(err) {
		return record.Rollout{}, err
	}
	return after, err
}
