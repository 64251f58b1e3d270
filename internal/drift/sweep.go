package drift

import (
	"cmp"
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
	before, number := d.kept.begin(c.Name)
	kinds := before.kinds
	if !before.known {
		if _, kinds, err = d.here(ctx, c); err != nil {
			return rep, err
		}
	}
	seen, swept, listErr := look(ctx, cluster, kinds, before, number, &rep)
	apps, wanted, err := d.here(ctx, c)
	if err == nil && !covers(kinds, wanted) { // synced since, with a new kind
		seen, swept, listErr = look(ctx, cluster, wanted, before, number, &rep)
		apps, wanted, err = d.here(ctx, c)
	}
	if listErr != nil && len(swept.Whole) == 0 {
		return rep, fmt.Errorf("list objects of cluster %s: %w", c.Name, listErr)
	}
	if err != nil {
		return rep, err
	}
	suspects, fits, err := d.suspects(ctx, c, apps, before, seen, swept, &rep)
	if err != nil {
		return rep, err
	}
	d.kept.keep(c.Name, past{seen: seen.kinds, known: true, kinds: wanted, fits: fits})
	err = errors.Join(listErr, d.settleAll(ctx, c, suspects, &rep))
	rep.Milliseconds = time.Since(begin).Milliseconds()
	return rep, err
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
	names, err := d.index(ctx, c.Name)
	if err != nil {
		return err
	}
	before := slices.Clone(names)
	var mu sync.Mutex
	var failed []error
	var g errgroup.Group
	g.SetLimit(judges)
	for name, w := range found {
		if len(w.ids) == 0 && len(w.over) == 0 && !w.all && !w.tidy {
			continue
		}
		g.Go(func() error {
			v, err := d.settle(ctx, name, w)
			mu.Lock()
			defer mu.Unlock()
			rep.Judged += v.judged
			rep.Healed += v.healed
			for _, f := range v.findings {
				rep.Findings = append(rep.Findings, Located{string(name), f})
			}
			switch i := slices.Index(names, name); {
			case v.noted && i < 0:
				names = append(names, name)
			case !v.noted && i >= 0 && err == nil:
				names = slices.Delete(names, i, i+1)
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
	slices.SortFunc(rep.Findings, func(a, b Located) int {
		return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.ID.String(), b.ID.String()), cmp.Compare(a.Outcome, b.Outcome))
	})
	slices.Sort(names)
	if !slices.Equal(names, before) {
		failed = append(failed, d.saveIndex(ctx, c.Name, names))
	}
	return errors.Join(failed...)
}
