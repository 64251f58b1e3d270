package deploy

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"slipway/internal/app"
	"slipway/internal/appset"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// registration is what an application's own Applications change in the registry.
type registration struct {
	put    []app.Registered
	remove []app.Name
	look   []app.Application // whose branch is to be looked at: one of each, since a look covers all that follow it
	count  int
}

// registration compares the Applications and ApplicationSets of the set with the registry, before the first write: any
// error in any of them changes nothing (argo-cd.md 2.9.4, learned there from mass deletions).
func (r *run) registration(ctx context.Context, want *desired) (*registration, error) {
	if len(want.declared) == 0 && !mayDeclare(r.rec) {
		return &registration{}, nil
	}
	declared, err := want.declarations()
	if err != nil {
		return nil, err
	}
	all, err := r.Registry.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read registry: %w", err)
	}
	known := map[app.Name]app.Registered{}
	owned := 0
	for _, k := range all {
		known[k.Application.Key()] = k
		if k.Owner == r.name {
			owned++
		}
	}
	// After a run that did not end well a Look may be missing, though the registry is right: all are looked at again.
	again := r.takeover != 0 || len(r.rec.History) > 0 && r.rec.History[0].Outcome != record.Applied
	g := &registration{count: len(declared)}
	wanted := map[app.Name]bool{}
	for _, d := range declared {
		key := d.Application.Key()
		old, exists := known[key]
		if exists && old.Owner != r.name {
			if _, there := known[old.Owner]; there || old.Owner == "" {
				// A Conflict, not final: in one commit an Application may go from one owner to the other.
				return nil, fault.New(fault.Conflict, "%s: Application %s is declared by %s already", d.File, key, ownerName(old.Owner))
			}
		}
		wanted[key] = true
		for _, w := range d.Warnings {
			r.note("%s: %s", d.File, w)
		}
		same := exists && reflect.DeepEqual(old, d)
		if !same {
			g.put = append(g.put, d)
		}
		if !same || again {
			g.lookAt(d.Application)
		}
	}
	for key, k := range known {
		if k.Owner != r.name || wanted[key] {
			continue
		}
		if !want.application.Sync.Prune {
			r.note("Application %s is no longer in git and stays: prune is off", key)
			continue
		}
		g.remove = append(g.remove, key)
	}
	slices.Sort(g.remove)
	return g, tooMany(want.application, "Applications", len(g.remove), owned)
}

// registered is among a record's kinds from before the first Application is registered: a run that ends between the two
// and a commit without Applications after it would leave them registered for ever.
const registered = "Application.argoproj.io"

// mayDeclare reports whether the registry may hold what this application has declared. A record without kinds is new or
// was lost.
func mayDeclare(rec record.Record) bool {
	return rec.Done.Declares > 0 || len(rec.Kinds) == 0 || slices.Contains(rec.Kinds, registered)
}

func ownerName(n app.Name) string {
	if n == "" {
		return "the configuration"
	}
	return string(n)
}

// declarations decodes what the set declares, with every error named.
func (w *desired) declarations() ([]app.Registered, error) {
	var out []app.Registered
	var wrong []string
	files := map[app.Name]string{}
	add := func(file string, a app.Application, warnings []string) {
		if first, twice := files[a.Key()]; twice {
			wrong = append(wrong, fmt.Sprintf("%s: Application %s is declared in %s already", file, a.Key(), first))
			return
		}
		files[a.Key()] = file
		out = append(out, app.Registered{Application: a, Owner: w.application.Key(), File: file, Warnings: warnings})
	}
	for _, o := range w.declared {
		if err := w.declare(o, add); err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "%s", strings.Join(wrong, "\n"))
	}
	return out, nil
}

func (w *desired) declare(o manifest.Object, add func(string, app.Application, []string)) error {
	source := w.files[o.File] // line numbers come from the file as it was written; a template has none
	if o.GetKind() == "Application" {
		a, warnings, err := app.DecodeObject(o.File, source, o.Object)
		if err != nil {
			return err
		}
		add(o.File, a, warnings)
		return nil
	}
	set, warnings, err := app.DecodeSet(o.File, source, o.Object)
	if err != nil {
		return err
	}
	apps, more, err := appset.Expand(set)
	if err != nil {
		return err // each line names the file
	}
	for _, a := range apps {
		add(o.File, a, append(slices.Clone(warnings), more...))
	}
	return nil
}

// lookAt has the branch of an application looked at, once. With one look an application, the first push of a repository
// of 100 was fetched 100 times (10,508 record updates, measured).
func (g *registration) lookAt(a app.Application) {
	src, err := a.From()
	for _, b := range g.look {
		if other, otherErr := b.From(); err == nil && otherErr == nil && other == src {
			return
		}
	}
	g.look = append(g.look, a)
}

// register writes the registry and has the branches of new and changed applications looked at.
func (r *run) register(ctx context.Context, g *registration) error {
	for _, d := range g.put {
		if err := r.Registry.Put(ctx, d); err != nil {
			return &partlyApplied{fmt.Errorf("register %s: %w", d.Application.Key(), err)}
		}
	}
	for _, a := range g.look {
		if err := r.Queue.Look(ctx, a); err != nil {
			return &partlyApplied{fmt.Errorf("queue a look for %s: %w", a.Key(), err)}
		}
	}
	for _, n := range g.remove {
		if err := r.Registry.Remove(ctx, n); err != nil {
			return &partlyApplied{fmt.Errorf("unregister %s: %w", n, err)}
		}
		r.note("Application %s is no longer declared; what it applied stays", n)
	}
	r.report.Applied += len(g.put)
	r.report.Pruned += len(g.remove)
	return nil
}
