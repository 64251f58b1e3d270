package drift

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
	"slipway/internal/record"
)

// standing is what a sweep needs of an application and its record.
type standing struct {
	calm      bool // it may be compared
	heals     bool
	strict    bool
	inventory string
}

// here is the applications of a cluster, and the kinds that their records know: nil, which is every kind of the cluster,
// when one knows none, as after a loss of state.
func (d *Drift) here(ctx context.Context, c app.Cluster) (map[app.Name]standing, []schema.GroupKind, error) {
	all, err := d.Registry.All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read registry: %w", err)
	}
	apps := make(map[app.Name]standing, len(all))
	for _, r := range all {
		if to, err := d.Resolve(r.Application.Destination); err == nil && to.Name == c.Name {
			a := r.Application
			apps[a.Key()] = standing{heals: a.Sync.Automated && a.Sync.SelfHeal, strict: a.Annotations[strictNote] == "true"}
		}
	}
	list, err := d.Records.List(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("read records: %w", err)
	}
	lost := false
	known := map[string]bool{}
	now := time.Now()
	for i := range list {
		r := &list[i]
		name := app.Name(r.Application)
		a, ok := apps[name]
		if !ok {
			continue
		}
		a.calm, a.inventory = quiet(r, now), r.Done.Inventory
		apps[name] = a
		lost = lost || r.Done.Seq != 0 && len(r.Kinds) == 0
		for _, k := range r.Kinds {
			known[k] = true
		}
	}
	if lost {
		return apps, nil, nil
	}
	delete(known, "Application.argoproj.io") // those are in the registry
	kinds := make([]schema.GroupKind, 0, len(known))
	for _, k := range slices.Sorted(maps.Keys(known)) {
		kinds = append(kinds, schema.ParseGroupKind(k))
	}
	return apps, kinds, nil
}

// covers reports whether a LIST of these kinds has all that are wanted; nil is every kind.
func covers(listed, wanted []schema.GroupKind) bool {
	return listed == nil || wanted != nil && !slices.ContainsFunc(wanted, func(gk schema.GroupKind) bool { return !slices.Contains(listed, gk) })
}

// quiet reports whether an application may be compared: something is done, nothing newer is wanted, and no sync is at
// work. A heal changes no set; who judges waits for its lock. A run whose lease is long over has died, and Hold takes its
// lock.
func quiet(rec *record.Record, now time.Time) bool {
	busy := rec.Lock.Owner != "" && !rec.Lock.Heal && !rec.Lock.Until.Before(now.Add(-record.Grace))
	return rec.Done.Seq != 0 && rec.Wanted.Seq == rec.Done.Seq && !busy
}

// suspects compares what was seen with the inventories; the records are read after the LIST, so that an apply between
// the two makes suspects, which judging clears, and never hides a deletion. It returns too which applications need not be
// compared as long as nobody touches them.
func (d *Drift) suspects(ctx context.Context, c app.Cluster, apps map[app.Name]standing, before past, s *seen, swept manifest.Swept, rep *Report) (map[app.Name]*work, map[app.Name]fit, error) {
	rep.Applications = len(apps)
	out := map[app.Name]*work{}
	at := func(name app.Name) *work {
		if out[name] == nil {
			out[name] = &work{}
		}
		return out[name]
	}
	fits := make(map[app.Name]fit, len(apps))
	tallies := s.tallies()
	var compare []app.Name
	for name, a := range apps {
		if !a.calm {
			rep.Skipped++
			continue
		}
		now := tallies[string(name)]
		if f, ok := before.fits[name]; ok && f == (fit{a.inventory, now.objects}) && now.untouched == now.objects {
			fits[name] = f
		} else {
			compare = append(compare, name)
		}
	}
	r, err := d.compare(ctx, apps, compare, s, swept, tallies)
	if err != nil {
		return nil, nil, err
	}
	for name, f := range r.fits {
		fits[name] = f
	}
	for name, ids := range r.differ {
		at(name).ids = ids
	}
	for _, name := range r.lost {
		at(name).all = true
	}
	added := map[app.Name][]manifest.ID{}
	for id, g := range s.all() {
		name := app.Name(g.application)
		switch _, whole := swept.Whole[id.GroupKind()]; {
		case !whole || !apps[name].calm:
		case r.extra(name, id):
			at(name).ids = append(at(name).ids, id)
		case g.foreign:
			added[name] = append(added[name], id)
		}
	}
	if err := d.reconcile(ctx, c, s, swept, apps, added, at); err != nil {
		return nil, nil, err
	}
	for _, w := range out {
		rep.Suspects += len(w.ids)
	}
	return out, fits, nil
}

// reconcile compares with what is kept from the sweeps before: fields of others that nobody has looked at yet, since a
// sync remembers an object as it finds it, are suspects; a finding whose object is as it should be is over.
func (d *Drift) reconcile(ctx context.Context, c app.Cluster, s *seen, swept manifest.Swept, apps map[app.Name]standing, added map[app.Name][]manifest.ID, at func(app.Name) *work) error {
	names, err := d.index(ctx, c.Name)
	if err != nil {
		return err
	}
	look := map[app.Name]bool{}
	for _, n := range names {
		look[n] = apps[n].calm
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
		for _, id := range added[name] {
			g, _ := s.of(id)
			unwanted := a.heals && (g.strict || a.strict) && slices.ContainsFunc(state.Findings, func(f Finding) bool { return f.ID == id && f.Outcome == Foreign })
			if !suspect[id] && (unwanted || state.Others[id.String()] != g.mark.Others) {
				at(name).ids = append(at(name).ids, id)
				suspect[id] = true
			}
		}
		known, err := d.scaled(ctx, name, a, state)
		if err != nil {
			return err
		}
		for id := range known {
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

// scaled is the inventory of an application of which something is scaled.
func (d *Drift) scaled(ctx context.Context, name app.Name, a standing, state State) (map[manifest.ID]ownership.Mark, error) {
	if len(state.Scaled) == 0 {
		return nil, nil
	}
	return inventory(ctx, d.Blobs, name, a.inventory)
}
