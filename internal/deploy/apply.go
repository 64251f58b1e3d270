package deploy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

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
	known := true
	for _, k := range kinds {
		known = known && slices.Contains(r.rec.Kinds, k)
	}
	if known || len(p.send) == 0 && len(p.live.ours) == 0 {
		return nil
	}
	if _, err := r.Records.Update(ctx, r.name, recordWiden(r.fence, kinds)); err != nil {
		return fmt.Errorf("record kinds of %s: %w", r.name, err)
	}
	return nil
}

// apply sends the steps group by group: side by side within a kind, a barrier between kinds (argo-cd sync_context.go
// runTasks). A refusal lets the rest of its group finish and stops the run.
func (r *run) apply(ctx context.Context, want *desired, p *plan) error {
	if err := r.createNamespace(ctx, want, p); err != nil {
		return err
	}
	r.report.Unchanged = len(p.unchanged)
	for group := range groups(p.send) {
		if err := r.pace(ctx); err != nil {
			return err
		}
		if err := r.applyGroup(ctx, want.cluster, group, p); err != nil {
			return err
		}
		if err := settle(ctx, want.cluster, group); err != nil {
			return &partlyApplied{err}
		}
	}
	return nil
}

func (r *run) applyGroup(ctx context.Context, c Cluster, group []*step, p *plan) error {
	var mu sync.Mutex
	failed := map[*step]error{}
	g := errgroup.Group{}
	g.SetLimit(parallel)
	for _, s := range group {
		g.Go(func() error {
			out, err := r.write(ctx, c, s)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed[s] = err
				r.inFlight = r.inFlight || fault.IsInFlight(err)
				return nil
			}
			r.writes++
			r.report.Applied++
			m := metadataOf(out)
			p.result[s.id] = ownership.MarkOf(m)
			r.kept(s, m)
			return nil
		})
	}
	_ = g.Wait() // every error is in failed
	return r.failure(group, failed)
}

// failure picks what the run's error is: a lost fence before all else, then what may pass, then what is refused.
func (r *run) failure(group []*step, failed map[*step]error) error {
	if len(failed) == 0 {
		return nil
	}
	for _, k := range []fault.Kind{fault.Superseded, fault.Unavailable, fault.Conflict, fault.Denied, fault.Internal} {
		for _, s := range group {
			if err := failed[s]; fault.Is(err, k) {
				return &partlyApplied{fmt.Errorf("%s: %w", s.File, err)}
			}
		}
	}
	return &partlyApplied{refusal(group, failed)}
}

// pace stops a run in order when its time is nearly over and something was achieved; the next wake-up goes on.
func (r *run) pace(ctx context.Context) error {
	end, ok := ctx.Deadline()
	if ok && r.writes > 0 && time.Until(end) < Margin {
		return fault.New(fault.Unfinished, "sync %s: its time is nearly over; %d objects are applied, the next run goes on", r.name, r.writes)
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
	r.report.Notes = append(r.report.Notes, "created namespace "+absent)
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
		r.report.Notes = append(r.report.Notes, fmt.Sprintf("%s: %s kept by %s", s.id, k.Path, k.Manager))
	}
}

// groups yields consecutive steps of one kind.
func groups(steps []*step) func(yield func([]*step) bool) {
	return func(yield func([]*step) bool) {
		for i := 0; i < len(steps); {
			j := i + 1
			for j < len(steps) && steps[j].id.GroupKind() == steps[i].id.GroupKind() {
				j++
			}
			if !yield(steps[i:j]) {
				return
			}
			i = j
		}
	}
}

func metadataOf(u *unstructured.Unstructured) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(u.GroupVersionKind())
	m.Name, m.Namespace, m.UID, m.ResourceVersion = u.GetName(), u.GetNamespace(), u.GetUID(), u.GetResourceVersion()
	m.Generation, m.Labels, m.Annotations = u.GetGeneration(), u.GetLabels(), u.GetAnnotations()
	m.OwnerReferences, m.ManagedFields, m.DeletionTimestamp = u.GetOwnerReferences(), u.GetManagedFields(), u.GetDeletionTimestamp()
	return m
}
