package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/ignore"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// Apply writes the object again; live is what was read under the lock, nil for one that is missing. What Stays tells
// stays as it is live, and what leave adds to it: for each look at the object, since it may change under the write.
func (h *Held) Apply(ctx context.Context, id manifest.ID, live *unstructured.Unstructured, leave func(f *ignore.Fields, live *unstructured.Unstructured)) (*unstructured.Unstructured, error) {
	if err := h.allow(ctx); err != nil {
		return nil, err
	}
	s := &step{item: h.items[id], merge: func(ctx context.Context, live *unstructured.Unstructured) (*unstructured.Unstructured, bool, error) {
		f, left, err := h.Stays(ctx, id, live)
		if err != nil {
			return nil, false, err
		}
		if leave != nil {
			leave(f, live)
		}
		return f.Merge(), left, nil
	}}
	if live != nil {
		s.live = manifest.MetadataOf(live)
		if err := s.take(ctx, live); err != nil {
			return nil, err
		}
	}
	out, _, err := h.run.write(ctx, h.cluster, s)
	if err != nil {
		h.run.inFlight = h.run.inFlight || fault.IsInFlight(err)
		return nil, err
	}
	h.Remember(id, manifest.MetadataOf(out))
	return out, nil
}

// MakeNamespace creates the destination's namespace if it went and CreateNamespace=true asks for it.
func (h *Held) MakeNamespace(ctx context.Context, id manifest.ID) (asked bool, err error) {
	if ns := h.Application.Destination.Namespace; !h.Application.Sync.CreateNamespace || ns == "" || ns != id.Namespace {
		return false, nil
	}
	if err := h.allow(ctx); err != nil {
		return true, err
	}
	_, err = h.cluster.EnsureNamespace(ctx, id.Namespace)
	h.run.inFlight = h.run.inFlight || fault.IsInFlight(err)
	return true, err
}

// Own gives an object without managed fields those that our apply would leave, as next shows them: otherwise the API
// server makes up a manager that owns every field, and what git removes later would live for ever.
func (h *Held) Own(ctx context.Context, id manifest.ID, live, next *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	e, ok := ownership.Ours(next.GetManagedFields())
	if !ok {
		return live, nil
	}
	ops, err := json.Marshal([]map[string]any{{"op": "add", "path": "/metadata/managedFields", "value": []metav1.ManagedFieldsEntry{e}}})
	if err != nil {
		return nil, fmt.Errorf("encode managed fields of %s: %w", id, err)
	}
	return h.Patch(ctx, id, live, ops)
}

// Disown drops the entry that a patch of ours has left: what it has set is to be the next apply's alone.
func (h *Held) Disown(ctx context.Context, id manifest.ID, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	for try := range rewrites {
		all := live.GetManagedFields()
		rest := slices.DeleteFunc(slices.Clone(all), func(e metav1.ManagedFieldsEntry) bool {
			return e.Manager == manifest.Manager && e.Operation == metav1.ManagedFieldsOperationUpdate && e.Subresource == ""
		})
		if len(rest) == len(all) || len(rest) == 0 {
			return live, nil
		}
		if err := h.allow(ctx); err != nil {
			return nil, err
		}
		version, err := h.cluster.Adopt(ctx, id, live.GetUID(), live.GetResourceVersion(), rest)
		if err == nil {
			live = live.DeepCopy()
			live.SetManagedFields(rest)
			live.SetResourceVersion(version)
			return live, nil
		}
		h.run.inFlight = h.run.inFlight || fault.IsInFlight(err)
		if !fault.Is(err, fault.Conflict) {
			return nil, err
		}
		h.Changed()
		if err := settleDown(ctx, try); err != nil {
			return nil, err
		}
		if live, err = h.Get(ctx, id); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Conflict, "disown fields of %s: it changed under %d tries in a row", id, rewrites)
}

// Changed says that a write met another one: the record is read again before the next (rule 12).
func (h *Held) Changed() { h.allowed = false }

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
