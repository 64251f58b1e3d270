package drift

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
	"slipway/internal/record"
)

// here is the applications of a cluster and their records.
func (d *Drift) here(ctx context.Context, c app.Cluster) (map[app.Name]app.Application, map[app.Name]record.Record, error) {
	all, err := d.Registry.All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read registry: %w", err)
	}
	apps := map[app.Name]app.Application{}
	for _, r := range all {
		if to, err := d.Resolve(r.Application.Destination); err == nil && to.Name == c.Name {
			apps[r.Application.Key()] = r.Application
		}
	}
	list, err := d.Records.List(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read records: %w", err)
	}
	recs := make(map[app.Name]record.Record, len(apps))
	for _, r := range list {
		if _, ok := apps[app.Name(r.Application)]; ok {
			recs[app.Name(r.Application)] = r
		}
	}
	return apps, recs, nil
}

// kinds are those that the records know; every kind of the cluster when one knows none, as after a loss of state.
func (d *Drift) kinds(ctx context.Context, c app.Cluster) ([]schema.GroupKind, error) {
	_, recs, err := d.here(ctx, c)
	if err != nil {
		return nil, err
	}
	known := map[schema.GroupKind]bool{}
	for _, r := range recs {
		if r.Done.Seq != 0 && len(r.Kinds) == 0 {
			return nil, nil
		}
		for _, k := range r.Kinds {
			if gk := schema.ParseGroupKind(k); gk.Group != "argoproj.io" || gk.Kind != "Application" { // those are in the registry
				known[gk] = true
			}
		}
	}
	out := make([]schema.GroupKind, 0, len(known))
	out = slices.AppendSeq(out, maps.Keys(known))
	slices.SortFunc(out, func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
	return out, nil
}

// quiet reports whether an application may be compared: something is done, nothing newer is wanted, and no run is at
// work. A run whose lease is long over has died, and Hold takes its lock.
func quiet(rec record.Record, now time.Time) bool {
	busy := rec.Lock.Owner != "" && !rec.Lock.Until.Before(now.Add(-record.Grace))
	return rec.Done.Seq != 0 && rec.Wanted.Seq == rec.Done.Seq && !busy
}

// suspects compares what was seen with the inventories; the records are read after the LIST, so that an apply between
// the two makes suspects, which judging clears, and never hides a deletion.
func (d *Drift) suspects(ctx context.Context, c app.Cluster, s *seen, swept manifest.Swept, rep *Report) (map[app.Name]*work, error) {
	apps, recs, err := d.here(ctx, c)
	if err != nil {
		return nil, err
	}
	rep.Applications = len(apps)
	out := map[app.Name]*work{}
	at := func(name app.Name) *work {
		if out[name] == nil {
			out[name] = &work{}
		}
		return out[name]
	}
	known := map[manifest.ID]bool{}
	marks := map[app.Name]map[manifest.ID]ownership.Mark{}
	calm := map[app.Name]bool{}
	now := time.Now()
	for name := range apps {
		rec, ok := recs[name]
		if !ok || !quiet(rec, now) {
			rep.Skipped++
			continue
		}
		inv, err := d.kept.inventory(ctx, d.Blobs, name, rec.Done.Inventory)
		if err != nil {
			return nil, err
		}
		calm[name], marks[name] = true, inv
		if inv == nil {
			at(name).all = true
		}
		for id, m := range inv {
			known[id] = true
			if _, whole := swept.Whole[id.GroupKind()]; !whole {
				continue // not seen whole: nothing is missing because a page did not come
			}
			if g, live := s.of(id); !live || g.deleting || g.mark != m {
				at(name).ids = append(at(name).ids, id)
			}
		}
	}
	added := map[app.Name][]manifest.ID{}
	for id, g := range s.all() {
		name := app.Name(g.application)
		switch _, whole := swept.Whole[id.GroupKind()]; {
		case !whole || !calm[name]:
		case !known[id]:
			at(name).ids = append(at(name).ids, id)
		case g.foreign:
			added[name] = append(added[name], id)
		}
	}
	if err := d.reconcile(ctx, c, s, swept, apps, calm, marks, added, at); err != nil {
		return nil, err
	}
	for _, w := range out {
		rep.Suspects += len(w.ids)
	}
	return out, nil
}

// reconcile compares with what is kept from the sweeps before: fields of others that nobody has looked at yet, since a
// sync remembers an object as it finds it, are suspects; a finding whose object is as it should be is over.
func (d *Drift) reconcile(ctx context.Context, c app.Cluster, s *seen, swept manifest.Swept, apps map[app.Name]app.Application, calm map[app.Name]bool, known map[app.Name]map[manifest.ID]ownership.Mark, added map[app.Name][]manifest.ID, at func(app.Name) *work) error {
	names, err := d.index(ctx, c.Name)
	if err != nil {
		return err
	}
	look := map[app.Name]bool{}
	for _, n := range names {
		look[n] = calm[n]
	}
	for n := range added {
		look[n] = true
	}
	for name, is := range look {
		if !is {
			continue
		}
		state, err := d.Of(ctx, name)
		if err != nil {
			return err
		}
		now := time.Now()
		if text := state.text(); text == "" || state.trim(now).text() != text {
			at(name).tidy = true
		}
		suspect := map[manifest.ID]bool{}
		for _, id := range at(name).ids {
			suspect[id] = true
		}
		a := apps[name]
		removes := a.Sync.Automated && a.Sync.SelfHeal
		for _, id := range added[name] {
			g, _ := s.of(id)
			unwanted := removes && (g.strict || a.Annotations[strictNote] == "true") && slices.ContainsFunc(state.Findings, func(f Finding) bool { return f.ID == id && f.Outcome == Foreign })
			if !suspect[id] && (unwanted || state.Others[id.String()] != g.mark.Others) {
				at(name).ids = append(at(name).ids, id)
				suspect[id] = true
			}
		}
		for id := range known[name] {
			if len(state.Scaled) == 0 {
				break
			}
			if t, scaled := state.Scaled[id.String()]; scaled && !suspect[id] && now.Sub(t) >= d.rescaled {
				at(name).ids = append(at(name).ids, id)
				suspect[id] = true
			}
		}
		for _, f := range state.Findings {
			g, live := s.of(f.ID)
			_, whole := swept.Whole[f.GroupKind()]
			still := f.Outcome == Foreign && live && g.foreign || f.Healed && now.Sub(f.Seen) <= healedFor
			if whole && !suspect[f.ID] && !still {
				at(name).over = append(at(name).over, f.ID)
			}
		}
	}
	return nil
}
