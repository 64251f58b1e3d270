package drift

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// judges bounds how many applications are judged at once.
const judges = 4

// Sweep looks at everything of ours in one cluster, heals what may be healed, and says what it found. A LIST that is not
// whole is an error and judges nothing: no object is missing because its page did not come.
func (d *Drift) Sweep(ctx context.Context, c app.Cluster) (Report, error) {
	begin := time.Now()
	rep := Report{Cluster: c.Name}
	cluster, err := d.Connect(ctx, c)
	if err != nil {
		return rep, fmt.Errorf("connect to cluster %s: %w", c.Name, err)
	}
	kinds, err := d.kinds(ctx, c)
	if err != nil {
		return rep, err
	}
	seen := newSeen(d.kept.glances(c.Name))
	swept, listErr := cluster.Sweep(ctx, kinds, seen.page)
	rep.Requests, rep.Bytes, rep.Objects = swept.Requests, swept.Bytes, swept.Objects
	if listErr != nil && len(swept.Whole) == 0 {
		return rep, fmt.Errorf("list objects of cluster %s: %w", c.Name, listErr)
	}
	suspects, err := d.suspects(ctx, c, seen, swept, &rep)
	if err != nil {
		return rep, err
	}
	d.kept.keep(c.Name, seen, swept)
	err = errors.Join(listErr, d.judgeAll(ctx, suspects, &rep))
	rep.Milliseconds = time.Since(begin).Milliseconds()
	return rep, err
}

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
	out := []schema.GroupKind{}
	for _, r := range recs {
		if r.Done.Seq != 0 && len(r.Kinds) == 0 {
			return nil, nil
		}
		for _, k := range r.Kinds {
			if gk := schema.ParseGroupKind(k); gk.Group != "argoproj.io" && !slices.Contains(out, gk) {
				out = append(out, gk)
			}
		}
	}
	return out, nil
}

// suspects compares what was seen with the inventories; the records are read after the LIST, so that an apply between
// the two makes suspects, which judging clears, and never hides a deletion.
func (d *Drift) suspects(ctx context.Context, c app.Cluster, s *seen, swept manifest.Swept, rep *Report) (map[app.Name][]manifest.ID, error) {
	apps, recs, err := d.here(ctx, c)
	if err != nil {
		return nil, err
	}
	rep.Applications = len(apps)
	out := map[app.Name][]manifest.ID{}
	known := map[manifest.ID]bool{}
	quiet := map[app.Name]bool{}
	for name := range apps {
		rec, ok := recs[name]
		if !ok || rec.Done.Seq == 0 || rec.Wanted.Seq != rec.Done.Seq || rec.Lock.Owner != "" {
			rep.Skipped++
			continue
		}
		inv, err := d.kept.inventory(ctx, d.Blobs, name, rec.Done.Inventory)
		if err != nil {
			return nil, err
		}
		quiet[name] = true
		for id, m := range inv {
			known[id] = true
			if _, whole := swept.Whole[id.GroupKind()]; !whole {
				continue // not seen whole: nothing is missing because a page did not come
			}
			if g, live := s.of(id); !live || g.mark != m {
				out[name] = append(out[name], id)
			}
		}
	}
	for id, g := range s.all() {
		if name := app.Name(g.application); !known[id] && quiet[name] {
			out[name] = append(out[name], id)
		}
	}
	for _, ids := range out {
		rep.Suspects += len(ids)
	}
	return out, nil
}

// judgeAll judges and heals each application's suspects under its lock. One that is at work is left to it.
func (d *Drift) judgeAll(ctx context.Context, suspects map[app.Name][]manifest.ID, rep *Report) error {
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(judges)
	for name, ids := range suspects {
		g.Go(func() error {
			done, err := d.judgeOne(gctx, name, ids)
			mu.Lock()
			defer mu.Unlock()
			switch fault.Of(err) {
			case fault.Busy, fault.Superseded, fault.NotFound:
				if err != nil {
					rep.Skipped++
					return nil
				}
			case fault.Internal, fault.Invalid, fault.Conflict, fault.Denied, fault.Unavailable, fault.Unfinished:
			}
			rep.Judged += done.judged
			rep.Healed += done.healed
			for _, f := range done.findings {
				rep.Findings = append(rep.Findings, Located{string(name), f})
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	return nil
}
