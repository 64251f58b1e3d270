package drift

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// judges bounds how many applications are judged at once.
const judges = 4

// Sweep looks at everything of ours in one cluster, heals what may be healed, and says what it found. A LIST that is not
// whole is an error and judges nothing: no object is missing because its page did not come.
func (d *Drift) Sweep(ctx context.Context, c app.Cluster) (Report, error) {
	cluster, err := d.Connect(ctx, c)
	if err != nil {
		return Report{Cluster: c.Name}, fmt.Errorf("connect to cluster %s: %w", c.Name, err)
	}
	rep, _, err := d.sweep(ctx, c, cluster, func(found map[app.Name]*work, rep *Report) error { return d.settleAll(ctx, c, found, rep) })
	return rep, err
}

// sweep has what it finds settled by settle.
func (d *Drift) sweep(ctx context.Context, c app.Cluster, cluster Cluster, settle func(map[app.Name]*work, *Report) error) (Report, manifest.Swept, error) {
	begin := time.Now()
	rep := Report{Cluster: c.Name}
	before, number := d.kept.begin(c.Name)
	kinds := before.kinds
	if !before.known {
		var err error
		if _, kinds, err = d.here(ctx, c); err != nil {
			return rep, manifest.Swept{}, err
		}
	}
	seen, swept, listErr := look(ctx, cluster, kinds, before, number, &rep)
	apps, wanted, err := d.here(ctx, c)
	if err == nil && !covers(kinds, wanted) { // synced since, with a new kind
		seen, swept, listErr = look(ctx, cluster, wanted, before, number, &rep)
		apps, wanted, err = d.here(ctx, c)
	}
	if listErr != nil && len(swept.Whole) == 0 {
		return rep, swept, fmt.Errorf("list objects of cluster %s: %w", c.Name, listErr)
	}
	if err != nil {
		return rep, swept, err
	}
	suspects, fits, err := d.suspects(ctx, c, apps, before, seen, swept, &rep)
	if err != nil {
		return rep, swept, err
	}
	d.kept.keep(c.Name, past{seen: seen.kinds, known: true, kinds: wanted, fits: fits})
	err = errors.Join(listErr, settle(suspects, &rep))
	rep.Milliseconds = time.Since(begin).Milliseconds()
	return rep, swept, err
}

// look lists all objects of the kinds. A kind that was not seen whole is kept as it was before; nothing is judged by it.
func look(ctx context.Context, cluster Cluster, kinds []schema.GroupKind, before past, number uint64, rep *Report) (*seen, manifest.Swept, error) {
	s := newSeen(before.seen, number)
	swept, err := cluster.SweepSince(ctx, kinds, s.known, s.page)
	rep.Requests += swept.Requests
	rep.Bytes += swept.Bytes
	rep.Objects = swept.Objects
	for gk := range s.kinds {
		if _, whole := swept.Whole[gk]; !whole {
			delete(s.kinds, gk)
		}
	}
	for gk := range swept.Failed {
		if was := before.seen[gk]; was != nil {
			s.kinds[gk] = was
		}
	}
	return s, swept, err
}

// settleAll judges and heals each application's suspects under its lock. One that is at work is left to it; one that
// fails keeps no other one waiting.
func (d *Drift) settleAll(ctx context.Context, c app.Cluster, found map[app.Name]*work, rep *Report) error {
	noted := map[app.Name]bool{}
	var mu sync.Mutex
	var failed []error
	var g errgroup.Group
	g.SetLimit(judges)
	for name, w := range found {
		if w.nothing() {
			continue
		}
		g.Go(func() error {
			v, err := d.settle(ctx, name, w)
			mu.Lock()
			defer mu.Unlock()
			rep.add(name, v)
			if v.noted || err == nil {
				noted[name] = v.noted
			}
			switch {
			case fault.Is(err, fault.Busy), fault.Is(err, fault.Superseded), fault.Is(err, fault.NotFound):
				rep.Skipped++
			case fault.Is(err, fault.Unfinished): // fewer judged than suspected
			case err != nil:
				failed = append(failed, fmt.Errorf("judge %s: %w", name, err))
			}
			return nil
		})
	}
	_ = g.Wait() // none of them fails
	rep.sort()
	return errors.Join(errors.Join(failed...), d.reindex(ctx, c.Name, noted))
}
