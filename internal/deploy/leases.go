package deploy

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/ignore"
	"slipway/internal/lease"
	"slipway/internal/manifest"
)

// leases knows what Rollouts hold: those of the set, which may come with this very run, and those of the cluster, which
// may have left git. It asks once a namespace.
type leases struct {
	cluster Cluster
	own     lease.Leases

	mu   sync.Mutex // held while asking: the others want the same answer
	seen map[string]lease.Leases
}

func newLeases(c Cluster, items []item) *leases {
	var own []*unstructured.Unstructured
	for _, it := range items {
		if it.id.Group == "argoproj.io" && it.id.Kind == "Rollout" {
			own = append(own, it.Unstructured)
		}
	}
	return &leases{cluster: c, own: lease.Of(own...), seen: map[string]lease.Leases{}}
}

// on is the leases on an object.
func (l *leases) on(ctx context.Context, id manifest.ID) ([]lease.Lease, error) {
	c, ok := l.cluster.(interface {
		RolloutsIn(ctx context.Context, namespace string) ([]*unstructured.Unstructured, error)
	})
	if !ok || id.Namespace == "" {
		return l.own[id], nil
	}
	namespace := id.Namespace
	if id.Kind == "HTTPRoute" { // of a gateway's namespace, and the Rollout is in another
		namespace = ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	all, known := l.seen[namespace]
	if !known {
		found, err := c.RolloutsIn(ctx, namespace)
		if err != nil {
			return nil, fmt.Errorf("look for Rollouts that hold %s: %w", id, err)
		}
		all = lease.Of(found...)
		l.seen[namespace] = all
	}
	return slices.Concat(l.own[id], all[id]), nil
}

// leave has the fields that Rollouts hold stay as they are live. It reports whether one of them is, or may be,
// other than git says.
func (l *leases) leave(ctx context.Context, f *ignore.Fields, id manifest.ID, said, live *unstructured.Unstructured) (differs bool, err error) {
	if !lease.May(id.GroupKind(), live.GetManagedFields()) {
		return false, nil
	}
	on, err := l.on(ctx, id)
	if err != nil {
		return false, err
	}
	for _, one := range on {
		for _, held := range one.Fields(said, live) {
			if held.Value == nil {
				f.LeaveLive(held.Path...)
				f.LeaveSaid(held.Path...)
				differs = differs || held.Postponed
				continue
			}
			f.Keep(held.Value, held.Path...)
			differs = true
		}
		differs = differs || one.Replicas() && rescalable(said, live)
	}
	return differs, nil
}
