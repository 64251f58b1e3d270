package deploy

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/fault"
	"slipway/internal/ownership"
)

// prune deletes what is ours and no longer wanted, each on condition of its uid and resourceVersion (rules 12, 13). One
// that is refused stays in the inventory and fails the run after the others were tried, so that the next run asks again
// (kustomize-controller's prune survivors).
func (r *run) prune(ctx context.Context, p *plan) error {
	var first error
	for _, m := range p.prune {
		if err := r.pace(ctx); err != nil {
			return err
		}
		err := r.remove(ctx, p, m)
		if fault.Is(err, fault.Superseded) || fault.Is(err, fault.Unavailable) {
			r.inFlight = r.inFlight || fault.IsInFlight(err)
			return &partlyApplied{err}
		}
		if err != nil {
			r.report.Notes = append(r.report.Notes, fmt.Sprintf("%s is no longer in git and stays: %v", idOf(m), err))
			if first == nil {
				first = err
			}
			continue
		}
		r.writes++
		r.report.Pruned++
	}
	if first != nil {
		return &partlyApplied{fmt.Errorf("prune %s: %w", r.name, first)}
	}
	return nil
}

func (r *run) remove(ctx context.Context, p *plan, m *metav1.PartialObjectMetadata) error {
	id := idOf(m)
	for range rewrites {
		err := p.cluster.Delete(ctx, id, m.UID, m.ResourceVersion)
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		u, err := p.cluster.Get(ctx, id)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("get %s: %w", id, err)
		}
		if u.GetUID() != m.UID || !ownership.Owns(metadataOf(u)) {
			return nil // another object under the name, or one that is no longer ours: not ours to delete
		}
		if err := r.holds(ctx); err != nil {
			return err
		}
		m.ResourceVersion = u.GetResourceVersion()
	}
	return fault.New(fault.Unavailable, "delete %s: it changed under %d tries in a row", id, rewrites)
}
