package deploy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/lease"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// merge makes of what git says what is sent for an object as it is live: some fields stay as they are there. left tells of
// fields that stay only as long as something exists that sets them, an autoscaler or a Rollout.
type merge func(ctx context.Context, live *unstructured.Unstructured) (send *unstructured.Unstructured, left bool, err error)

// stays reports whether something of an object may have to stay as it is live, so that it must be read before it is
// sent: what ignoreDifferences names, if the application has its syncs respect that, and always replicas that an
// autoscaler sets and what a Rollout holds. A service that was scaled to its load would go back to git's number with each
// push otherwise, and a canary to git's weight.
func (w *desired) stays(ctx context.Context, it item, entries []metav1.ManagedFieldsEntry) (bool, error) {
	if len(w.respected.For(it.id)) > 0 {
		return true, nil
	}
	if lease.May(it.id.GroupKind(), entries) {
		if on, err := w.leases.on(ctx, it.id); err != nil || len(on) > 0 {
			return true, err
		}
	}
	if !setsReplicas(it.Unstructured, entries) {
		return false, nil
	}
	return w.scalers.scale(ctx, it.id)
}

// merge is what is sent for an object of the set.
func (w *desired) merge(it item) merge {
	return func(ctx context.Context, live *unstructured.Unstructured) (*unstructured.Unstructured, bool, error) {
		f, err := w.respected.For(it.id).Of(ctx, it.Unstructured, live)
		if err != nil {
			return nil, false, fmt.Errorf("merge %s: %w", it.id, err)
		}
		left, err := w.leases.leave(ctx, f, it.id, it.Unstructured, live)
		if err != nil {
			return nil, false, err
		}
		if setsReplicas(it.Unstructured, live.GetManagedFields()) {
			scaled, err := w.scalers.scale(ctx, it.id)
			if err != nil {
				return nil, false, err
			}
			if scaled {
				f.Leave("spec", "replicas")
				left = left || rescalable(it.Unstructured, live)
			}
		}
		return f.Merge(), left, nil
	}
}

// setsReplicas reports whether an apply of what git says decides about spec.replicas: it has them, or it has not and our
// applies own them, so that they would be deleted.
func setsReplicas(said *unstructured.Unstructured, entries []metav1.ManagedFieldsEntry) bool {
	if _, has := replicasOf(said); has {
		return true
	}
	entries, _ = ownership.Migrate(entries)
	e, ok := ownership.Ours(entries)
	return ok && ownership.Has(e.FieldsV1, "f:spec", "f:replicas")
}

// rescalable reports whether the object's replicas are other than git says, or somebody's where git says none.
func rescalable(said, live *unstructured.Unstructured) bool {
	want, says := replicasOf(said)
	is, there := replicasOf(live)
	if says {
		return !there || !reflect.DeepEqual(want, is)
	}
	return there && ownership.SetOf(live.GetManagedFields()...).Reaches([]string{"f:spec", "f:replicas"})
}

func replicasOf(u *unstructured.Unstructured) (any, bool) {
	spec, _ := u.Object["spec"].(map[string]any) //nolint:errcheck // anything else has no replicas
	v, ok := spec["replicas"]
	return v, ok
}

// unjudged is a mark that no object has, so that the next sweep looks at it, though nothing of it has changed: an
// autoscaler or a Rollout may go, and what is ignored may change, without touching the object.
func unjudged(m ownership.Mark) ownership.Mark {
	m.Generation = -1
	return m
}

// ignoredBy names what an application ignores; "" if nothing.
func ignoredBy(a app.Application) string {
	if len(a.IgnoreDifferences) == 0 {
		return ""
	}
	b, err := json.Marshal(a.IgnoreDifferences)
	if err != nil {
		return "" // strings: it cannot be
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16])
}

// readAs reads an object in the version in which git says it, if the cluster can: what is merged field by field must be
// of one form.
func readAs(ctx context.Context, c Cluster, id manifest.ID, said *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	versions, ok := c.(interface {
		GetAs(ctx context.Context, id manifest.ID, version string) (*unstructured.Unstructured, error)
	})
	if said == nil || !ok {
		return c.Get(ctx, id)
	}
	return versions.GetAs(ctx, id, said.GroupVersionKind().Version)
}
