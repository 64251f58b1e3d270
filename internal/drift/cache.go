package drift

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// cache keeps of each cluster what the last sweep has seen.
type cache struct {
	mu     sync.Mutex
	past   map[string]past
	sweeps uint64
}

// past is one sweep. It never changes.
type past struct {
	seen  glances
	known bool // kinds are those that the records had, nil for every kind
	kinds []schema.GroupKind
	fits  map[app.Name]fit
}

// fit is an application whose objects were all as an inventory has them, and no others were there. As long as it is the
// same inventory, and so many objects are untouched and no others there, they still are: it need not be read.
type fit struct {
	inventory string
	objects   int
}

func newCache() *cache { return &cache{past: map[string]past{}} }

// begin is the last sweep of a cluster and the number of the next.
func (c *cache) begin(cluster string) (past, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweeps++
	return c.past[cluster], c.sweeps
}

func (c *cache) keep(cluster string, p past) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.past[cluster] = p
}

// fits reports whether the last sweep saw an object at this mark, as the application's inventory had it.
func (c *cache) fits(cluster string, name app.Name, id manifest.ID, m ownership.Mark) bool {
	c.mu.Lock()
	p := c.past[cluster]
	c.mu.Unlock()
	g := p.seen[id.GroupKind()][place{id.Namespace, id.Name}]
	_, fits := p.fits[name]
	return fits && g != nil && g.application == string(name) && !g.deleting && g.mark == m
}

// inventory reads an application's inventory; nil if it is lost: everything is a suspect, once.
func inventory(ctx context.Context, blobs Blobs, name app.Name, digest string) (map[manifest.ID]ownership.Mark, error) {
	if digest == "" {
		return nil, nil
	}
	b, err := blobs.Get(ctx, digest)
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Denied) || ctx.Err() != nil {
		return nil, fmt.Errorf("read inventory of %s: %w", name, err)
	}
	if err != nil {
		return nil, nil //nolint:nilerr // lost or damaged
	}
	marks, err := deploy.DecodeInventory(b)
	if err != nil {
		return nil, nil //nolint:nilerr // damaged: as good as lost
	}
	return marks, nil
}
