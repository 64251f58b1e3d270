package deploy

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Difference is what a sync would do to one object.
type Difference struct {
	manifest.ID
	File    string            `json:"file,omitempty"`
	Action  string            `json:"action"`           // one of the actions below
	Reason  string            `json:"reason,omitempty"` // why it stays, or is refused
	Changes []manifest.Change `json:"changes,omitempty"`
}

// The actions.
const (
	Create = "create"
	Modify = "change"
	Adopt  = "adopt"  // it exists and is not ours yet: what it holds is not shown
	Refuse = "refuse" // the API server, or its owner, will not have it
	Prune  = "prune"
	Stay   = "stay" // it is no longer in git and is not pruned
)

// difference tries one object, once more if a controller writes between what is read and what is tried: its change is not
// ours. m is nil for one that is not ours: of such an object nothing is shown (CVE-2026-42880:
// whoever may write a manifest could read any object by its diff).
func difference(ctx context.Context, want *desired, name app.Name, it item, m *metav1.PartialObjectMetadata) (d Difference, err error) {
	for try := range rewrites {
		if d, err = differs(ctx, want, name, it, m); !fault.Is(err, fault.Conflict) {
			return d, err
		}
		if err := settleDown(ctx, try); err != nil {
			return d, err
		}
	}
	return d, err
}

func differs(ctx context.Context, want *desired, name app.Name, it item, m *metav1.PartialObjectMetadata) (Difference, error) {
	d := Difference{ID: it.id, File: it.File}
	old, err := readAs(ctx, want.cluster, it.id, it.Unstructured)
	switch {
	case fault.Is(err, fault.NotFound):
		d.Action = Create
		return d, nil
	case err != nil:
		return d, fmt.Errorf("get %s: %w", it.id, err)
	case m == nil:
		d.Action = Adopt
		if holder := holderOf(manifest.MetadataOf(old)); holder != "" && holder != name {
			d.Action, d.Reason = Refuse, fmt.Sprintf("it belongs to application %s", holder)
		}
		return d, nil
	}
	send, _, err := want.merge(it)(ctx, old)
	if err != nil {
		return d, err
	}
	send = send.DeepCopy()
	send.SetUID(old.GetUID())
	send.SetResourceVersion(old.GetResourceVersion())
	next, _, err := want.cluster.Apply(ctx, send, true)
	if fault.Is(err, fault.Invalid) {
		d.Action, d.Reason = Refuse, manifest.CleanText(err.Error(), manifest.MaxReason)
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("dry run of %s: %w", it.id, err)
	}
	a, b := manifest.MaskPair(bare(old), bare(next))
	if d.Changes = manifest.Changes(a.Object, b.Object); len(d.Changes) > 0 {
		d.Action = Modify
	}
	return d, nil
}

// bare is an object without what the API server keeps for itself and what we stamp.
func bare(u *unstructured.Unstructured) *unstructured.Unstructured {
	c := u.DeepCopy()
	manifest.Normalize(c)
	a := c.GetAnnotations()
	for _, n := range []string{manifest.DigestNote, manifest.FenceNote} {
		delete(a, n)
	}
	c.SetAnnotations(a)
	return c
}
