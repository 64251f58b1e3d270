package deploy

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// plan is what a run will do.
type plan struct {
	send      []*step
	unchanged []manifest.ID
	prune     []*metav1.PartialObjectMetadata // in the order of deletion
	live      *live
	registry  *registration
	cluster   Cluster
	result    inventory // what the next run compares with
}

// step is one object to send. Without live metadata it is a creation.
type step struct {
	item
	live    *metav1.PartialObjectMetadata
	contact bool // the object exists and is not ours yet: adopted before it is applied
	because string
	merge   merge                      // nil: what git says is sent
	sent    *unstructured.Unstructured // what git says with fields of the live object, once that was read
	applied *unstructured.Unstructured // a Rollout of ours, as it is after it was sent
	left    bool                       // some of these stay only as long as somebody sets them
}

// plan compares the set with what is live. It reads only memory: the digest annotation of the live object tells what it
// was rendered from, not the record, which may be wrong after a crash (design.md 3).
func (r *run) plan(ctx context.Context, want *desired, l *live) (*plan, error) {
	p := &plan{live: l, cluster: want.cluster, result: inventory{}}
	if was, is := r.rec.Done.Destination, destinationOf(want.application); was != "" && was != is {
		r.note("the destination was cluster %s: what was applied there stays there", was) // as with Argo CD
	}
	wanted := map[manifest.ID]bool{}
	for _, it := range want.items {
		wanted[it.id] = true
		m := l.ours[it.id]
		if m != nil && m.DeletionTimestamp != nil {
			return nil, leaving(it.id)
		}
		s := &step{item: it, live: m, contact: l.copies[it.id], merge: want.merge(it)}
		if s.because = reason(it, m, l.marks, r.takeover); s.because == "" {
			p.unchanged = append(p.unchanged, it.id)
			if p.result[it.id] = ownership.MarkOf(m); r.rec.Done.Ignored != ignoredBy(want.application) {
				p.result[it.id] = unjudged(p.result[it.id])
			}
			continue
		}
		p.send = append(p.send, s)
	}
	var err error
	if p.prune, err = r.extras(want.application, l, wanted); err != nil {
		return nil, err
	}
	p.registry, err = r.registration(ctx, want)
	return p, err
}

// reason says why an object is sent; empty if it need not be. Nothing that is equal and untouched is sent, but for a
// takeover: a no-op apply leaves the resourceVersion alone, so a stale run could still write (rule 11).
func reason(it item, m *metav1.PartialObjectMetadata, marks inventory, takeover uint64) string {
	switch {
	case m == nil:
		return "missing"
	case takeover != 0 && fenceOf(m) < takeover:
		return "touched after a takeover"
	case m.Annotations[manifest.DigestNote] != it.digest:
		return "changed"
	}
	mark, known := marks[it.id]
	live := ownership.MarkOf(m)
	if takeover == 0 && (!known || mark.UID != live.UID || mark.Entry != live.Entry) {
		return "ownership changed"
	}
	return ""
}

// destinationOf is an application's cluster as it names it.
func destinationOf(a app.Application) string { return cmp.Or(a.Destination.Name, a.Destination.Server) }

func fenceOf(m *metav1.PartialObjectMetadata) uint64 {
	f, err := strconv.ParseUint(m.Annotations[manifest.FenceNote], 10, 64)
	if err != nil {
		return 0 // absent, or written by somebody: counts as not touched
	}
	return f
}

// extras are ours, live, and no longer wanted: those that may be pruned, in reverse order of apply. What stays is noted
// with its reason.
func (r *run) extras(a app.Application, l *live, wanted map[manifest.ID]bool) ([]*metav1.PartialObjectMetadata, error) {
	var ids []manifest.ID
	for id, m := range l.ours {
		if wanted[id] {
			continue
		}
		if m.DeletionTimestamp != nil {
			r.note("%s is no longer in git and is still being deleted", id)
			continue
		}
		if why := keep(a, id, m); why != "" {
			r.note("%s is no longer in git and stays: %s", id, why)
			continue
		}
		ids = append(ids, id)
	}
	if err := tooMany(a, "objects", len(ids), len(l.ours)); err != nil {
		return nil, err
	}
	slices.SortFunc(ids, compareIDs)
	manifest.PruneOrder(ids)
	out := make([]*metav1.PartialObjectMetadata, len(ids))
	for i, id := range ids {
		out[i] = l.ours[id]
	}
	return out, nil
}

func compareIDs(a, b manifest.ID) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}
