package drift

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// readers bounds how many inventories are read at once: in an object store one takes tens of milliseconds.
const readers = 16

// compared is what came of comparing applications with their inventories.
type compared struct {
	mu     sync.Mutex
	differ map[app.Name][]manifest.ID
	lost   []app.Name // without an inventory
	fits   map[app.Name]fit
	odd    map[app.Name]map[manifest.ID]ownership.Mark // inventories of those that have objects which are in none of theirs
	others map[manifest.ID]bool                        // in the inventory of another application than the object names
}

// compare reads inventories, and keeps none that is not needed any more.
func (d *Drift) compare(ctx context.Context, apps map[app.Name]standing, names []app.Name, s *seen, swept manifest.Swept, tallies map[string]tally) (*compared, error) {
	r := &compared{
		differ: map[app.Name][]manifest.ID{}, fits: map[app.Name]fit{},
		odd: map[app.Name]map[manifest.ID]ownership.Mark{}, others: map[manifest.ID]bool{},
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for _, name := range names {
		g.Go(func() error {
			digest := apps[name].inventory
			inv, err := inventory(ctx, d.Blobs, name, digest)
			if err != nil {
				return err
			}
			r.one(name, digest, inv, s, swept, tallies[string(name)])
			return nil
		})
	}
	return r, g.Wait()
}

func (r *compared) one(name app.Name, digest string, inv map[manifest.ID]ownership.Mark, s *seen, swept manifest.Swept, t tally) {
	var differ, others []manifest.ID
	whole, mine := inv != nil, 0
	for id, m := range inv {
		if _, ok := swept.Whole[id.GroupKind()]; !ok {
			whole = false
			continue // not seen whole: nothing is missing because a page did not come
		}
		g, live := s.of(id)
		switch {
		case !live:
		case g.application == string(name):
			mine++
		default:
			others = append(others, id)
		}
		if !live || g.deleting || g.mark != m {
			differ = append(differ, id)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if inv == nil {
		r.lost = append(r.lost, name)
	}
	if len(differ) > 0 {
		r.differ[name] = differ
	}
	for _, id := range others {
		r.others[id] = true
	}
	if mine != t.objects {
		r.odd[name] = inv
	} else if whole && len(differ) == 0 && len(others) == 0 {
		r.fits[name] = fit{digest, t.objects}
	}
}

// extra reports whether an object is in no inventory.
func (r *compared) extra(name app.Name, id manifest.ID) bool {
	inv, odd := r.odd[name]
	_, ours := inv[id]
	return odd && !ours && !r.others[id]
}
