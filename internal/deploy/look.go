package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
	"slipway/internal/record"
)

// live is what the LIST under the lock showed.
type live struct {
	ours   map[manifest.ID]*metav1.PartialObjectMetadata
	copies map[manifest.ID]bool // carry our label, but are not ours: controllers copy labels (a Service's go to its EndpointSlices)
	marks  inventory            // of the last finished run; empty when lost
}

// look lists what is live and then reads the record: in this order, so that a LIST made by a run that has lost the lock
// meanwhile is noticed before its first write (rule 10; without it, P3 breaks in 21 steps).
func (r *run) look(ctx context.Context, want *desired) (*live, error) {
	l, err := list(ctx, r.name, r.rec, want)
	if err != nil {
		return nil, err
	}
	rec, err := r.Records.Get(ctx, r.name)
	if fault.Is(err, fault.NotFound) {
		return nil, gone(r.name)
	}
	if err != nil {
		return nil, fmt.Errorf("read record of %s: %w", r.name, err)
	}
	if err := rec.Holds(r.fence); err != nil {
		return nil, err
	}
	r.rec = rec
	if l.marks, err = r.inventory(ctx, rec, r.note); err != nil {
		return nil, err
	}
	return l, nil
}

// list is what is live of an application; it is ours if our applies own its label and it names no other application.
func list(ctx context.Context, name app.Name, rec record.Record, want *desired) (*live, error) {
	items, err := want.cluster.List(ctx, manifest.LabelFor(string(name)), kindsToList(rec, want))
	if err != nil {
		return nil, fmt.Errorf("list objects of %s: %w", name, err)
	}
	l := &live{ours: map[manifest.ID]*metav1.PartialObjectMetadata{}, copies: map[manifest.ID]bool{}}
	for i := range items {
		m := &items[i]
		if holder := m.Annotations[manifest.ApplicationNote]; ownership.Owns(m) && (holder == string(name) || holder == "") {
			l.ours[idOf(m)] = m
		} else {
			l.copies[idOf(m)] = true
		}
	}
	return l, nil
}

// kindsToList are the kinds that the record knows and those of the new set; every kind of the cluster when the record
// knows none, which is after its loss and before the first sync.
func kindsToList(rec record.Record, want *desired) []schema.GroupKind {
	if len(rec.Kinds) == 0 {
		return nil
	}
	out := []schema.GroupKind{} // not nil, which would be every kind
	for _, k := range rec.Kinds {
		if k == registered {
			continue // in the registry, not in the cluster
		}
		out = append(out, schema.ParseGroupKind(k))
	}
	for _, it := range want.items {
		if gk := it.id.GroupKind(); !slices.Contains(out, gk) {
			out = append(out, gk)
		}
	}
	return out
}

func idOf(m *metav1.PartialObjectMetadata) manifest.ID {
	gk := m.GroupVersionKind().GroupKind()
	return manifest.ID{Group: gk.Group, Kind: gk.Kind, Namespace: m.Namespace, Name: m.Name}
}

// inventory is what the last finished run left, object by object.
type inventory map[manifest.ID]ownership.Mark

type inventoryEntry struct {
	manifest.ID
	Mark ownership.Mark `json:"mark"`
}

func (inv inventory) encode() ([]byte, error) {
	entries := make([]inventoryEntry, 0, len(inv))
	for id, m := range inv {
		entries = append(entries, inventoryEntry{id, m})
	}
	slices.SortFunc(entries, func(a, b inventoryEntry) int { return compareIDs(a.ID, b.ID) })
	b, err := json.Marshal(entries)
	if err != nil {
		return nil, fmt.Errorf("encode inventory: %w", err)
	}
	return b, nil
}

// inventory is what the last finished run left. One that is lost or damaged is empty, which costs an apply of each object
// that changes nothing: all state can be lost (design.md 5).
func (d *Deploy) inventory(ctx context.Context, rec record.Record, note func(format string, args ...any)) (inventory, error) {
	if rec.Done.Inventory == "" {
		return inventory{}, nil
	}
	b, err := d.Blobs.Get(ctx, rec.Done.Inventory)
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Denied) {
		return nil, fmt.Errorf("read inventory of %s: %w", rec.Application, err)
	}
	inv := inventory{}
	if err == nil {
		inv, err = decodeInventory(b)
	}
	if err != nil {
		note("the inventory of the last run is lost: %v", err)
		return inventory{}, nil
	}
	return inv, nil
}

// DecodeInventory reads an inventory that a run has stored.
func DecodeInventory(b []byte) (map[manifest.ID]ownership.Mark, error) { return decodeInventory(b) }

func decodeInventory(b []byte) (inventory, error) {
	var entries []inventoryEntry
	if err := json.Unmarshal(b, &entries); err != nil {
		return nil, fmt.Errorf("decode inventory: %w", err)
	}
	inv := make(inventory, len(entries))
	for _, e := range entries {
		inv[e.ID] = e.Mark
	}
	return inv, nil
}
