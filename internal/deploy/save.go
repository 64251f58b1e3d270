package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"slipway/internal/record"
)

// save stores what was applied, as drift will compare and heal with it, and prepares done; close writes it.
func (r *run) save(ctx context.Context, want *desired, p *plan) error {
	snapshot, err := want.snapshot()
	if err != nil {
		return err
	}
	inv, err := p.result.encode()
	if err != nil {
		return err
	}
	d := record.Done{Seq: r.wanted.Seq, Revs: r.wanted.Revs, Digest: r.wanted.Digest, Declares: p.registry.count, Ignored: ignoredBy(want.application),
		Destination: destinationOf(want.application), At: time.Now()}
	if d.Snapshot, err = r.Blobs.Put(ctx, snapshot); err != nil {
		return fmt.Errorf("store snapshot of %s: %w", r.name, err)
	}
	if d.Inventory, err = r.Blobs.Put(ctx, inv); err != nil {
		return fmt.Errorf("store inventory of %s: %w", r.name, err)
	}
	r.done = &d
	return nil
}

// snapshot is the rendered set in apply order, with the file of each object. It holds secrets: the one exception to
// security X6, under its own key.
func (w *desired) snapshot() ([]byte, error) {
	type entry struct {
		File   string         `json:"file"`
		Object map[string]any `json:"object"`
	}
	out := make([]entry, len(w.items))
	for i, it := range w.items {
		out[i] = entry{it.File, it.Object.Object}
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot: %w", err)
	}
	return b, nil
}
