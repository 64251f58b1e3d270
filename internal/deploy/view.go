package deploy

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/health"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// Resource is one object of an application as people see it.
type Resource struct {
	manifest.ID
	Sync   string `json:"sync"`             // Synced, OutOfSync, Missing, Extra
	Health string `json:"health,omitempty"` // empty for kinds without a check
	Detail string `json:"detail,omitempty"`
}

// How an object stands to what is wanted.
const (
	Synced    = "Synced"
	OutOfSync = "OutOfSync"
	Missing   = "Missing"
	Extra     = "Extra"
)

// Resources compares the application's wanted set with the cluster, object by object. It takes no lock and writes
// nothing.
func (d *Deploy) Resources(ctx context.Context, name app.Name) ([]Resource, error) {
	want, live, err := d.observe(ctx, name)
	if err != nil {
		return nil, err
	}
	var out []Resource
	for _, it := range want.items {
		m := live[it.id]
		delete(live, it.id)
		res := Resource{ID: it.id, Sync: Synced}
		switch {
		case m == nil:
			res.Sync = Missing
		case m.Annotations[manifest.DigestNote] != it.digest:
			res.Sync = OutOfSync
		}
		if m != nil {
			if err := d.examine(ctx, want.cluster, &res); err != nil {
				return nil, err
			}
		}
		out = append(out, res)
	}
	for _, m := range live {
		out = append(out, Resource{ID: idOf(m), Sync: Extra})
	}
	slices.SortStableFunc(out, func(a, b Resource) int { return compareIDs(a.ID, b.ID) })
	return out, nil
}

func (d *Deploy) examine(ctx context.Context, c Cluster, res *Resource) error {
	u, err := c.Get(ctx, res.ID)
	if fault.Is(err, fault.NotFound) {
		res.Sync = Missing
		return nil
	}
	if err != nil {
		return fmt.Errorf("get %s: %w", res.ID, err)
	}
	if s, ok := health.Of(u); ok {
		res.Health, res.Detail = string(s.Code), s.Message
	}
	return nil
}

// observe renders what is wanted and lists what is live, ours only.
func (d *Deploy) observe(ctx context.Context, name app.Name) (*desired, map[manifest.ID]*metav1.PartialObjectMetadata, error) {
	rec, err := d.Records.Get(ctx, name)
	if err != nil {
		return nil, nil, fmt.Errorf("read record of %s: %w", name, err)
	}
	if rec.Wanted.Digest == "" {
		return nil, nil, fault.New(fault.NotFound, "application %s: nothing was found in git yet", name)
	}
	data, err := d.Blobs.Get(ctx, rec.Wanted.Digest)
	if err != nil {
		return nil, nil, fmt.Errorf("read bundle of %s: %w", name, err)
	}
	in, err := app.DecodeInputs(data)
	if err != nil {
		return nil, nil, fmt.Errorf("open bundle of %s: %w", name, err)
	}
	var notes []string
	want, err := d.Prepare(ctx, in, &notes)
	if err != nil {
		return nil, nil, err
	}
	items, err := want.cluster.List(ctx, manifest.LabelFor(string(name)), kindsToList(rec, want))
	if err != nil {
		return nil, nil, fmt.Errorf("list objects of %s: %w", name, err)
	}
	live := map[manifest.ID]*metav1.PartialObjectMetadata{}
	for i := range items {
		if ownership.Owns(&items[i]) {
			live[idOf(&items[i])] = &items[i]
		}
	}
	return want, live, nil
}

// Diff is what a sync would change, by a dry run of each object, with secrets masked on both sides alike (security X3).
func (d *Deploy) Diff(ctx context.Context, name app.Name) ([]Difference, error) {
	want, live, err := d.observe(ctx, name)
	if err != nil {
		return nil, err
	}
	var out []Difference
	for _, it := range want.items {
		m := live[it.id]
		delete(live, it.id)
		if m != nil && m.Annotations[manifest.DigestNote] == it.digest {
			continue
		}
		diff, err := difference(ctx, want.cluster, it)
		if err != nil {
			return nil, err
		}
		if diff.Action != "" {
			out = append(out, diff)
		}
	}
	for _, m := range live {
		out = append(out, Difference{ID: idOf(m), Action: "prune"})
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return compareIDs(a.ID, b.ID) })
	return out, nil
}

func difference(ctx context.Context, c Cluster, it item) (Difference, error) {
	d := Difference{ID: it.id, File: it.File}
	old, err := c.Get(ctx, it.id)
	if fault.Is(err, fault.NotFound) {
		d.Action = "create"
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("get %s: %w", it.id, err)
	}
	next, _, err := c.Apply(ctx, it.DeepCopy(), true)
	if err != nil {
		return d, fmt.Errorf("dry run of %s: %w", it.id, err)
	}
	a, b := manifest.MaskPair(bare(old), bare(next))
	if d.Changes = changes("", a.Object, b.Object); len(d.Changes) > 0 {
		d.Action = "change"
	}
	return d, nil
}

// bare is an object without what the API server keeps for itself and what we stamp.
func bare(u *unstructured.Unstructured) *unstructured.Unstructured {
	c := u.DeepCopy()
	manifest.Normalize(c)
	a := c.GetAnnotations()
	for _, n := range []string{manifest.DigestNote, manifest.FenceNote} {
		delete(a, n)
	}
	c.SetAnnotations(a)
	return c
}
