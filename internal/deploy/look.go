package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

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
	items, err := want.cluster.List(ctx, manifest.LabelFor(string(r.name)), kindsToList(r.rec, want))
	if err != nil {
		return nil, fmt.Errorf("list objects of %s: %w", r.name, err)
	}
	l := &live{ours: map[manifest.ID]*metav1.PartialObjectMetadata{}, copies: map[manifest.ID]bool{}}
	for i := range items {
		m := &items[i]
		id := idOf(m)
		if ownership.Owns(m) && (m.Annotations[manifest.ApplicationNote] == string(r.name) || m.Annotations[manifest.ApplicationNote] == "") {
			l.ours[id] = m
		} else {
			l.copies[id] = true
		}
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
	if l.marks, err = r.inventory(ctx, rec.Done.Inventory); err != nil {
		return nil, err
	}
	return l, nil
}

// kindsToList are the kinds that the record knows and those of the new set; every kind of the cluster when the record
// knows none, which is after its loss and before the first sync.
func kindsToList(rec record.Record, want *desired) []schema.GroupKind {
	if len(rec.Kinds) == 0 {
		return nil
	}
	var out []schema.GroupKind
	for _, k := range rec.Kinds {
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

func (r *run) inventory(ctx context.Context, digest string) (inventory, error) {
	inv := inventory{}
	if digest == "" {
		return inv, nil
	}
	b, err := r.Blobs.Get(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("read inventory of %s: %w", r.name, err)
	}
	var entries []inventoryEntry
	if err := json.Unmarshal(b, &entries); err != nil {
		return nil, fmt.Errorf("decode inventory of %s: %w", r.name, err)
	}
	for _, e := range entries {
		inv[e.ID] = e.Mark
	}
	return inv, nil
}
