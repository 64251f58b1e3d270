package drift

import (
	"context"
	"fmt"
	"sync"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// cache keeps inventories by their digest: an application that nobody synced since costs no read.
type cache struct {
	mu    sync.Mutex
	known map[app.Name]held
	seen  map[string]glances // by cluster
}

type held struct {
	digest string
	marks  map[manifest.ID]ownership.Mark
}

func newCache() *cache { return &cache{known: map[app.Name]held{}, seen: map[string]glances{}} }

func (c *cache) inventory(ctx context.Context, blobs Blobs, name app.Name, digest string) (map[manifest.ID]ownership.Mark, error) {
	c.mu.Lock()
	h, ok := c.known[name]
	c.mu.Unlock()
	if digest == "" {
		return nil, nil
	}
	if ok && h.digest == digest {
		return h.marks, nil
	}
	b, err := blobs.Get(ctx, digest)
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Denied) || ctx.Err() != nil {
		return nil, fmt.Errorf("read inventory of %s: %w", name, err)
	}
	if err != nil {
		return nil, nil //nolint:nilerr // lost or damaged: everything is a suspect, once
	}
	marks, err := deploy.DecodeInventory(b)
	if err != nil {
		return nil, nil //nolint:nilerr // damaged: as good as lost
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[name] = held{digest, marks}
	return marks, nil
}

func (c *cache) glances(cluster string) glances {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[cluster]
}

// keep remembers what a sweep has seen whole, for the next one.
func (c *cache) keep(cluster string, s *seen, swept manifest.Swept) {
	next := glances{}
	for gk := range swept.Whole {
		next[gk] = s.kinds[gk]
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[cluster] = next
}
