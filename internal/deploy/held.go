package deploy

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
	"slipway/internal/record"
)

// Held is an application whose lock is held while nothing newer than what is done is wanted (rule 15). Drift judges and
// heals through it, from the snapshot of what was applied: no git, no rendering.
type Held struct {
	Application app.Application

	run     *run
	cluster Cluster
	items   map[manifest.ID]item
	marks   inventory
	moved   bool // marks differ from the inventory
	allowed bool // the consistent read before the first write was made
}

// Hold takes the application's lock for do and frees it afterwards. Superseded: something newer is wanted, or was never
// done, so there is nothing to compare with. Busy: a sync is at work.
func (d *Deploy) Hold(ctx context.Context, name app.Name, do func(context.Context, *Held) error) error {
	declared, err := d.Registry.Get(ctx, name)
	if err != nil {
		return fmt.Errorf("read declaration of %s: %w", name, err)
	}
	r, err := d.lock(ctx, declared.Application)
	if err != nil {
		return err
	}
	defer r.broke(ctx, false)
	stop, cancel := context.WithDeadline(ctx, r.started.Add(d.Lease-closing))
	defer cancel()
	h := &Held{Application: declared.Application, run: r}
	runErr := h.open(stop)
	if runErr == nil {
		runErr = do(stop, h)
	}
	return h.close(ctx, runErr)
}

// open reads what was done; rule 15 is read under the lock here.
func (h *Held) open(ctx context.Context) error {
	r := h.run
	if err := settled(r.rec); err != nil {
		return err
	}
	var err error
	if h.cluster, err = r.Connect(ctx, h.Application.Destination); err != nil {
		return fmt.Errorf("connect to cluster of %s: %w", r.name, err)
	}
	b, err := r.Blobs.Get(ctx, r.rec.Done.Snapshot)
	if err != nil {
		return fmt.Errorf("read snapshot of %s: %w", r.name, err)
	}
	if h.items, err = decodeSnapshot(b); err != nil {
		return fmt.Errorf("read snapshot of %s: %w", r.name, err)
	}
	h.marks, err = r.inventory(ctx, r.rec, r.note)
	return err
}

func settled(rec record.Record) error {
	if rec.Done.Seq == 0 || rec.Wanted.Seq != rec.Done.Seq {
		return fault.New(fault.Superseded, "compare %s: what is wanted is not done", rec.Application)
	}
	return nil
}

func decodeSnapshot(b []byte) (map[manifest.ID]item, error) {
	var entries []struct {
		File   string         `json:"file"`
		Object map[string]any `json:"object"`
	}
	if err := json.Unmarshal(b, &entries); err != nil {
		return nil, fmt.Errorf("decode snapshot: %w", err)
	}
	items := make(map[manifest.ID]item, len(entries))
	for _, e := range entries {
		o := manifest.Object{Unstructured: &unstructured.Unstructured{Object: e.Object}, File: e.File}
		items[o.ID()] = item{Object: o, id: o.ID(), digest: o.GetAnnotations()[manifest.DigestNote]}
	}
	return items, nil
}

// Has reports whether the object is in the applied set.
func (h *Held) Has(id manifest.ID) bool { _, ok := h.items[id]; return ok }

// Get reads the object as it is.
func (h *Held) Get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	return h.cluster.Get(ctx, id)
}

// Try is the object as our apply would leave it, by a dry run.
func (h *Held) Try(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	u, _, err := h.cluster.Apply(ctx, h.items[id].DeepCopy(), true)
	return u, err
}

// Keep says why an object that is in no set is not pruned; empty if it may be.
func (h *Held) Keep(id manifest.ID, live *unstructured.Unstructured) string {
	return keep(h.Application, id, manifest.MetadataOf(live))
}

// Owns reports whether the object is ours, and this application's.
func (h *Held) Owns(live *unstructured.Unstructured) bool {
	holder := live.GetAnnotations()[manifest.ApplicationNote]
	return ownership.Owns(manifest.MetadataOf(live)) && (holder == string(h.run.name) || holder == "")
}

// Apply writes the object again; live is what was read under the lock, nil for one that is missing.
func (h *Held) Apply(ctx context.Context, id manifest.ID, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if err := h.allow(ctx); err != nil {
		return nil, err
	}
	s := &step{item: h.items[id]}
	if live != nil {
		s.live = manifest.MetadataOf(live)
	}
	out, _, err := h.run.write(ctx, h.cluster, s)
	if err != nil {
		h.run.inFlight = h.run.inFlight || fault.IsInFlight(err)
		return nil, err
	}
	h.Remember(id, manifest.MetadataOf(out))
	return out, nil
}

// Patch changes the object by a JSON patch on condition that it is as it was read.
func (h *Held) Patch(ctx context.Context, id manifest.ID, live *unstructured.Unstructured, ops []byte) (*unstructured.Unstructured, error) {
	if err := h.allow(ctx); err != nil {
		return nil, err
	}
	out, err := h.cluster.Patch(ctx, id, live.GetUID(), live.GetResourceVersion(), ops)
	if err != nil {
		h.run.inFlight = h.run.inFlight || fault.IsInFlight(err)
	}
	return out, err
}

// Delete removes an object that is in no set.
func (h *Held) Delete(ctx context.Context, id manifest.ID, live *unstructured.Unstructured) error {
	if err := h.allow(ctx); err != nil {
		return err
	}
	err := h.cluster.Delete(ctx, id, live.GetUID(), live.GetResourceVersion())
	if err != nil {
		h.run.inFlight = h.run.inFlight || fault.IsInFlight(err)
	}
	return err
}

// Remember makes what was found the mark that the next sweep compares with.
func (h *Held) Remember(id manifest.ID, live *metav1.PartialObjectMetadata) {
	if m := ownership.MarkOf(live); h.marks[id] != m {
		h.marks[id], h.moved = m, true
	}
}

// allow is the consistent read ahead of the first write: the fence, and that still nothing newer is wanted (rules 10
// and 15; without it a heal writes over newer content in 21 steps).
func (h *Held) allow(ctx context.Context) error {
	if h.allowed {
		return nil
	}
	rec, err := h.run.Records.Get(ctx, h.run.name)
	if err != nil {
		return fmt.Errorf("read record of %s: %w", h.run.name, err)
	}
	if err := rec.Holds(h.run.fence); err != nil {
		return err
	}
	if err := settled(rec); err != nil {
		return err
	}
	h.allowed = true
	return nil
}

// close writes the new marks and frees the lock in one conditional write. A heal never touches everything, so a takeover
// that it found is left to the next sync (rule 11).
func (h *Held) close(ctx context.Context, runErr error) error {
	r := h.run
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	digest := ""
	if h.moved {
		b, err := h.marks.encode()
		if err == nil {
			digest, err = r.Blobs.Put(ctx, b)
		}
		if err != nil && runErr == nil {
			runErr = fmt.Errorf("store inventory of %s: %w", r.name, err)
		}
	}
	end := record.Partial
	if r.inFlight {
		end = record.InFlight
	}
	var more bool
	_, err := r.Records.Update(ctx, r.name, func(rec *record.Record) error {
		if err := rec.Holds(r.fence); err != nil {
			return err
		}
		if digest != "" && rec.Done.Seq == r.rec.Done.Seq {
			rec.Done.Inventory = digest
		}
		var err error
		more, err = rec.Release(r.fence, end)
		return err
	})
	if err != nil {
		return fmt.Errorf("free lock of %s: %w", r.name, err)
	}
	if more && h.Application.Sync.Automated {
		if err := r.Queue.Wake(ctx, r.name); err != nil {
			return fmt.Errorf("wake %s: %w", r.name, err)
		}
	}
	return runErr
}
