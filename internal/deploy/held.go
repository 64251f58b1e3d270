package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/json"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/ignore"
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
	order   []manifest.ID
	ignored ignore.Rules
	scalers *scalers
	leases  *leases
	marks   inventory
	moved   bool // marks differ from the inventory
	lost    bool // the snapshot is: what is done is asked for once more, which writes another
	allowed bool // the consistent read before the first write was made
}

// healLease is how long a heal holds the lock at most, the time to free it included; healTick is how often a sync that
// waits for it looks.
const (
	healLease = 30 * time.Second
	healTick  = 20 * time.Millisecond
)

// Hold takes the application's lock for do and frees it afterwards. Superseded: something newer is wanted, or was never
// done, or was done in another cluster, so there is nothing to compare with. Busy: a sync is at work.
func (d *Deploy) Hold(ctx context.Context, name app.Name, do func(context.Context, *Held) error) error {
	declared, err := d.Registry.Get(ctx, name)
	if err != nil {
		return fmt.Errorf("read declaration of %s: %w", name, err)
	}
	r, err := d.lock(ctx, declared.Application, true)
	if err != nil {
		return err
	}
	defer r.broke(ctx, false)
	stop, cancel := context.WithDeadline(ctx, r.started.Add(healLease-closing))
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
	if was := r.rec.Done.Destination; was != "" && was != destinationOf(h.Application) { // nothing of it is missing in another cluster
		return fault.New(fault.Superseded, "compare %s: what is done is in cluster %s", r.name, was)
	}
	var err error
	if h.cluster, err = r.Connect(ctx, h.Application.Destination); err != nil {
		return fmt.Errorf("connect to cluster of %s: %w", r.name, err)
	}
	if h.ignored, err = ignore.Compile(h.Application.IgnoreDifferences); err != nil {
		return err
	}
	b, err := r.Blobs.Get(ctx, r.rec.Done.Snapshot)
	h.lost = fault.Is(err, fault.NotFound)
	if err != nil {
		return fmt.Errorf("read snapshot of %s: %w", r.name, err)
	}
	if h.items, h.order, err = decodeSnapshot(b); err != nil {
		return fmt.Errorf("read snapshot of %s: %w", r.name, err)
	}
	h.scalers = newScalers(h.cluster)
	for _, it := range h.items {
		h.scalers.know(it)
	}
	h.leases = newLeases(h.cluster, slices.Collect(maps.Values(h.items)))
	h.marks, err = r.inventory(ctx, r.rec, r.note)
	return err
}

func settled(rec record.Record) error {
	if rec.Done.Seq == 0 || rec.Wanted.Seq != rec.Done.Seq {
		return fault.New(fault.Superseded, "compare %s: what is wanted is not done", rec.Application)
	}
	return nil
}

func decodeSnapshot(b []byte) (map[manifest.ID]item, []manifest.ID, error) {
	var entries []struct {
		File   string         `json:"file"`
		Object map[string]any `json:"object"`
	}
	if err := json.UnmarshalCaseSensitivePreserveInts(b, &entries); err != nil { // a float64 would not hold every int64
		return nil, nil, fmt.Errorf("decode snapshot: %w", err)
	}
	items, order := make(map[manifest.ID]item, len(entries)), make([]manifest.ID, 0, len(entries))
	for _, e := range entries {
		o := manifest.Object{Unstructured: &unstructured.Unstructured{Object: e.Object}, File: e.File}
		items[o.ID()] = item{Object: o, id: o.ID(), digest: o.GetAnnotations()[manifest.DigestNote]}
		order = append(order, o.ID())
	}
	return items, order, nil
}

// Has reports whether the object is in the applied set.
func (h *Held) Has(id manifest.ID) bool { _, ok := h.items[id]; return ok }

// Items are the objects of the applied set, in the order of their apply.
func (h *Held) Items() []manifest.ID { return h.order }

// Seq is which wanted set is applied.
func (h *Held) Seq() uint64 { return h.run.rec.Done.Seq }

// Get reads the object as it is, in the version in which it was applied.
func (h *Held) Get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	return readAs(ctx, h.cluster, id, h.Said(id))
}

// Stays is the fields of the object, as it is live, that git does not decide: what the application ignores, what a Rollout
// holds, and replicas that an autoscaler has set to another number. Those of the last two stay only as long as the Rollout
// or the autoscaler exists: left tells that there are any.
func (h *Held) Stays(ctx context.Context, id manifest.ID, live *unstructured.Unstructured) (f *ignore.Fields, left bool, err error) {
	said := h.Said(id)
	if f, err = h.ignored.For(id).Of(ctx, said, live); err != nil {
		return nil, false, fmt.Errorf("ignore differences of %s: %w", id, err)
	}
	if left, err = h.leases.leave(ctx, f, id, said, live); err != nil || !rescalable(said, live) {
		return f, left, err
	}
	scaled, err := h.scalers.scale(ctx, id)
	if scaled {
		f.Leave("spec", "replicas")
	}
	return f, left || scaled, err
}

// Try is the object as our apply would leave it, by a dry run on live: Conflict if it has changed since, as controllers
// do all the time, and what differs would be theirs. What stays is as it is live.
func (h *Held) Try(ctx context.Context, id manifest.ID, live *unstructured.Unstructured, stays *ignore.Fields) (*unstructured.Unstructured, error) {
	u := stays.Merge()
	manifest.Stamp(u, string(h.run.name), h.items[id].digest, 0)
	u.SetUID(live.GetUID())
	u.SetResourceVersion(live.GetResourceVersion())
	u, _, err := h.cluster.Apply(ctx, u, true)
	return u, err
}

// Said is the object as git says it. It is not to be changed.
func (h *Held) Said(id manifest.ID) *unstructured.Unstructured { return h.items[id].Unstructured }

// Keep says why an object that is in no set is not pruned; empty if it may be.
func (h *Held) Keep(id manifest.ID, live *unstructured.Unstructured) string {
	return keep(h.Application, id, manifest.MetadataOf(live))
}

// TooMany refuses to delete so many objects that are in no set (security P9).
func (h *Held) TooMany(extras int) error {
	return tooMany(h.Application, "objects", extras, extras+len(h.items))
}

// Other is the application that holds the object if it is not this one: our applies wrote its annotation.
func (h *Held) Other(live *unstructured.Unstructured) app.Name {
	name := app.Name(live.GetAnnotations()[manifest.ApplicationNote])
	e, ok := ownership.Ours(live.GetManagedFields())
	if name == h.run.name || !ok || !ownership.Has(e.FieldsV1, "f:metadata", "f:annotations", "f:"+manifest.ApplicationNote) {
		return ""
	}
	return name
}

// Owns reports whether the object is ours, and this application's. The annotation alone does not say whose: whoever may
// edit it could have one application prune what is another's. The label does, since it is as our applies left it.
func (h *Held) Owns(live *unstructured.Unstructured) bool {
	holder := live.GetAnnotations()[manifest.ApplicationNote]
	return ownership.Owns(manifest.MetadataOf(live)) && live.GetLabels()[manifest.Label] == manifest.LabelFor(string(h.run.name)) &&
		(holder == string(h.run.name) || holder == "")
}

// Remember makes what was found the mark that the next sweep compares with.
func (h *Held) Remember(id manifest.ID, live *metav1.PartialObjectMetadata) {
	if m := ownership.MarkOf(live); h.marks[id] != m {
		h.marks[id], h.moved = m, true
	}
}

// Doubt is Forget for an object that is not right though its mark is that of the inventory.
func (h *Held) Doubt(id manifest.ID, live *metav1.PartialObjectMetadata) {
	if h.marks[id] == ownership.MarkOf(live) {
		h.Forget(id)
	}
}

// Forget makes the next sweep look at the object again: something of it was left as it is, for now.
func (h *Held) Forget(id manifest.ID) {
	if h.marks[id] != (ownership.Mark{}) {
		h.marks[id], h.moved = ownership.Mark{}, true
	}
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
		if h.lost {
			rec.Request()
		}
		var err error
		more, err = rec.Release(r.fence, end)
		return err
	})
	if err != nil {
		return fmt.Errorf("free lock of %s: %w", r.name, err)
	}
	if h.lost || more && h.Application.Sync.Automated {
		if err := r.Queue.Wake(ctx, r.name); err != nil {
			return fmt.Errorf("wake %s: %w", r.name, err)
		}
	}
	return runErr
}
