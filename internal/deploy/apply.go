package deploy

import (
	"context"
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// widen writes down the kinds of the set before the first object of a new kind is written: a crash after it must find
// the object again (cli-utils inv_add_task does the same with its inventory).
func (r *run) widen(ctx context.Context, want *desired, p *plan) error {
	var kinds []string
	add := func(id manifest.ID) {
		if k := id.GroupKind().String(); !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	for _, it := range want.items {
		add(it.id)
	}
	for id := range p.live.ours {
		add(id)
	}
	if p.registry.count > 0 {
		kinds = append(kinds, registered)
	}
	known := true
	for _, k := range kinds {
		known = known && slices.Contains(r.rec.Kinds, k)
	}
	if known || len(p.send) == 0 && len(p.live.ours) == 0 && p.registry.count == 0 {
		return nil
	}
	if _, err := r.Records.Update(ctx, r.name, recordWiden(r.fence, kinds)); err != nil {
		return fmt.Errorf("record kinds of %s: %w", r.name, err)
	}
	return nil
}

// apply sends the steps group by group. A refusal lets the rest of its group finish and stops the run.
func (r *run) apply(ctx context.Context, want *desired, p *plan) error {
	if err := r.createNamespace(ctx, want, p); err != nil {
		return err
	}
	r.report.Unchanged = len(p.unchanged)
	for group := range groups(p.send, func(s *step) schema.GroupKind { return s.id.GroupKind() }) {
		if err := r.applyGroup(ctx, want, group, p); err != nil {
			return err
		}
		if err := settle(ctx, want.cluster, group); err != nil {
			return &partlyApplied{err}
		}
	}
	return nil
}

func (r *run) applyGroup(ctx context.Context, want *desired, group []*step, p *plan) error {
	var mu sync.Mutex
	failed, paused := r.spread(ctx, len(group), func(i int) error {
		s := group[i]
		if err := r.untried(ctx, want, s); err != nil {
			return err
		}
		out, warnings, err := r.write(ctx, want.cluster, s)
		if err != nil {
			return err
		}
		m := manifest.MetadataOf(out)
		mu.Lock()
		defer mu.Unlock()
		r.report.Applied++
		if isOurs(out) {
			s.applied = out
		}
		if p.result[s.id] = ownership.MarkOf(m); s.left {
			p.result[s.id] = unjudged(p.result[s.id])
		}
		for _, w := range warnings {
			r.note("%s: %s: %s", s.File, s.id, w)
		}
		r.kept(s, m)
		return nil
	})
	if err := failure(group, failed); err != nil {
		return err
	}
	return paused
}

// untried reads an object that no dry run has read, since its kind changes with this run; the record is read after it
// (rules 10 and 12).
func (r *run) untried(ctx context.Context, want *desired, s *step) error {
	did, err := r.read(ctx, want, s)
	if err != nil || !did {
		return err
	}
	return r.holds(ctx)
}

// failure picks what the run's error is: a lost fence before all else, then what may pass, then what is refused.
func failure(group []*step, failed []error) error {
	refused := map[*step]error{}
	for _, k := range []fault.Kind{fault.Superseded, fault.Unavailable, fault.Conflict, fault.Denied, fault.Internal} {
		for i, s := range group {
			if fault.Is(failed[i], k) {
				return &partlyApplied{fmt.Errorf("%s: %w", s.File, failed[i])}
			}
			refused[s] = failed[i]
		}
	}
	if err := refusal(group, refused); err != nil {
		return &partlyApplied{err}
	}
	return nil
}

// createNamespace makes the destination's namespace where CreateNamespace=true asks for it. It carries no label of ours
// and is never pruned (argo-cd.md 2.4.7).
func (r *run) createNamespace(ctx context.Context, want *desired, p *plan) error {
	absent, err := r.absentNamespace(ctx, want, p)
	if err != nil || absent == "" {
		return err
	}
	if _, err := want.cluster.EnsureNamespace(ctx, absent); err != nil {
		return fmt.Errorf("create namespace %s: %w", absent, err)
	}
	r.note("created namespace %s", absent)
	return nil
}

// settle waits until the CRDs of a group serve their kinds, so that the next group can use them.
func settle(ctx context.Context, c Cluster, group []*step) error {
	for _, s := range group {
		if s.id.Kind != "CustomResourceDefinition" {
			continue
		}
		if err := c.Established(ctx, s.id.Name); err != nil {
			return fmt.Errorf("wait for %s: %w", s.id, err)
		}
	}
	return nil
}

// kept notes the fields that left our set with this apply but live on because another manager owns them too.
func (r *run) kept(s *step, after *metav1.PartialObjectMetadata) {
	if s.live == nil {
		return
	}
	for _, k := range ownership.Kept(s.live.ManagedFields, after.ManagedFields) {
		r.note("%s: %s kept by %s", s.id, k.Path, k.Manager)
	}
}

// groups yields consecutive items of one kind. Within a group they may be sent at once; one group is done before the next
// begins (argo-cd sync_context.go: parallel inside a kind, a barrier between kinds).
func groups[T any](all []T, kind func(T) schema.GroupKind) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for i := 0; i < len(all); {
			j := i + 1
			for j < len(all) && kind(all[j]) == kind(all[i]) {
				j++
			}
			if !yield(all[i:j]) {
				return
			}
			i = j
		}
	}
}
