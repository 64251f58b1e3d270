package deploy

import (
	"cmp"
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// prune deletes what is ours and no longer wanted, each on condition of its uid and resourceVersion (rules 12, 13). One
// that is refused stays in the inventory and fails the run after the others were tried, so that the next run asks again
// (kustomize-controller's prune survivors).
func (r *run) prune(ctx context.Context, p *plan) error {
	var first error
	for group := range groups(p.prune, func(m *metav1.PartialObjectMetadata) schema.GroupKind { return m.GroupVersionKind().GroupKind() }) {
		before := r.writes
		failed, paused := r.spread(ctx, len(group), func(i int) error { return r.remove(ctx, p, group[i]) })
		r.report.Pruned += r.writes - before
		for i, err := range failed {
			if fault.Is(err, fault.Superseded) || fault.Is(err, fault.Unavailable) {
				return &partlyApplied{err}
			}
			if err != nil {
				r.note("%s is no longer in git and stays: %v", idOf(group[i]), err)
				first = cmp.Or(first, err)
			}
		}
		if paused != nil {
			return paused
		}
	}
	if first != nil {
		return &partlyApplied{fmt.Errorf("prune %s: %w", r.name, first)}
	}
	return nil
}

func (r *run) remove(ctx context.Context, p *plan, m *metav1.PartialObjectMetadata) error {
	id := idOf(m)
	for try := range rewrites {
		err := p.cluster.Delete(ctx, id, m.UID, m.ResourceVersion)
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		if err := settleDown(ctx, try); err != nil {
			return err
		}
		u, err := p.cluster.Get(ctx, id)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("get %s: %w", id, err)
		}
		if u.GetUID() != m.UID || !ownership.Owns(manifest.MetadataOf(u)) {
			return nil // another object under the name, or one that is no longer ours: not ours to delete
		}
		if err := r.holds(ctx); err != nil {
			return err
		}
		m.ResourceVersion = u.GetResourceVersion()
	}
	return fault.New(fault.Unavailable, "delete %s: it changed under %d tries in a row", id, rewrites)
}
