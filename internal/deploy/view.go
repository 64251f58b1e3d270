package deploy

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/health"
	"slipway/internal/manifest"
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
	want, l, err := d.observe(ctx, name)
	if err != nil {
		return nil, err
	}
	out := make([]Resource, len(want.items))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, it := range want.items {
		m := l.ours[it.id]
		delete(l.ours, it.id)
		out[i] = Resource{ID: it.id, Sync: Synced}
		switch {
		case m == nil:
			out[i].Sync = Missing
			continue
		case reason(it, m, l.marks, 0) != "":
			out[i].Sync = OutOfSync
		}
		g.Go(func() error { return examine(gctx, want.cluster, &out[i]) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for id, m := range l.ours {
		out = append(out, Resource{ID: id, Sync: Extra, Detail: either(m.DeletionTimestamp != nil, "being deleted", keep(want.application, id, m))})
	}
	slices.SortStableFunc(out, func(a, b Resource) int { return compareIDs(a.ID, b.ID) })
	return out, nil
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func examine(ctx context.Context, c Cluster, res *Resource) error {
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

// observe renders what is wanted and lists what is live.
func (d *Deploy) observe(ctx context.Context, name app.Name) (*desired, *live, error) {
	rec, err := d.Records.Get(ctx, name)
	if err != nil {
		return nil, nil, fmt.Errorf("read record of %s: %w", name, err)
	}
	if rec.Wanted.Digest == "" {
		return nil, nil, fault.New(fault.NotFound, "application %s: nothing was found in git yet", name)
	}
	unsaid := func(string, ...any) {} // the record of the run says it
	want, err := d.open(ctx, name, rec.Wanted.Digest, unsaid)
	if err != nil {
		return nil, nil, err
	}
	l, err := list(ctx, name, rec, want)
	if err != nil {
		return nil, nil, err
	}
	l.marks, err = d.inventory(ctx, rec, unsaid)
	return want, l, err
}

// Diff is what a sync would change, by a dry run of each object that it would send, with secrets masked on both sides
// alike (security X3).
func (d *Deploy) Diff(ctx context.Context, name app.Name) ([]Difference, error) {
	want, l, err := d.observe(ctx, name)
	if err != nil {
		return nil, err
	}
	all := make([]Difference, len(want.items))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i, it := range want.items {
		m := l.ours[it.id]
		delete(l.ours, it.id)
		if m != nil && reason(it, m, l.marks, 0) == "" {
			continue
		}
		g.Go(func() (err error) {
			all[i], err = difference(gctx, want, name, it, m)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(all, func(d Difference) bool { return d.Action == "" })
	for id, m := range l.ours {
		out = append(out, departure(want.application, id, m))
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return compareIDs(a.ID, b.ID) })
	return out, nil
}

func departure(a app.Application, id manifest.ID, m *metav1.PartialObjectMetadata) Difference {
	if why := either(m.DeletionTimestamp != nil, "it is being deleted", keep(a, id, m)); why != "" {
		return Difference{ID: id, Action: Stay, Reason: why}
	}
	return Difference{ID: id, Action: Prune}
}
