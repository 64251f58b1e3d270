package deploy

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Difference is what a sync would do to one object.
type Difference struct {
	manifest.ID
	File    string   `json:"file,omitempty"`
	Action  string   `json:"action"`           // one of the actions below
	Reason  string   `json:"reason,omitempty"` // why it stays, or is refused
	Changes []Change `json:"changes,omitempty"`
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

// Change is one field. Old or New is nil where the field is not there.
type Change struct {
	Path string `json:"path"` // .spec.template.spec.containers[name="app"].image
	Old  any    `json:"old,omitempty"`
	New  any    `json:"new,omitempty"`
}

// difference tries one object. m is nil for one that is not ours: of such an object nothing is shown (CVE-2026-42880:
// whoever may write a manifest could read any object by its diff).
func difference(ctx context.Context, c Cluster, name app.Name, it item, m *metav1.PartialObjectMetadata) (Difference, error) {
	d := Difference{ID: it.id, File: it.File}
	old, err := c.Get(ctx, it.id)
	switch {
	case fault.Is(err, fault.NotFound):
		d.Action = Create
		return d, nil
	case err != nil:
		return d, fmt.Errorf("get %s: %w", it.id, err)
	case m == nil:
		d.Action = Adopt
		if holder := holderOf(metadataOf(old)); holder != "" && holder != name {
			d.Action, d.Reason = Refuse, fmt.Sprintf("it belongs to application %s", holder)
		}
		return d, nil
	}
	next, _, err := c.Apply(ctx, it.DeepCopy(), true)
	if fault.Is(err, fault.Invalid) {
		d.Action, d.Reason = Refuse, manifest.CleanText(err.Error(), manifest.MaxReason)
		return d, nil
	}
	if err != nil {
		return d, fmt.Errorf("dry run of %s: %w", it.id, err)
	}
	a, b := manifest.MaskPair(bare(old), bare(next))
	if d.Changes = changes("", a.Object, b.Object); len(d.Changes) > 0 {
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

// changes walks two values side by side. Lists of objects that all have a name are compared by it, as Kubernetes merges
// them; other lists by position.
func changes(path string, a, b any) []Change {
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if aok && bok {
		return mapChanges(path, am, bm, false)
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	if aok && bok {
		an, aNamed := named(al)
		bn, bNamed := named(bl)
		if aNamed && bNamed {
			return mapChanges(path, an, bn, true)
		}
		if len(al) == len(bl) {
			var out []Change
			for i := range al {
				out = append(out, changes(fmt.Sprintf("%s[%d]", path, i), al[i], bl[i])...)
			}
			return out
		}
	}
	if reflect.DeepEqual(a, b) {
		return nil
	}
	return []Change{{Path: path, Old: a, New: b}}
}

// plainKey needs no quotes in a path.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9_$-]+$`)

// mapChanges compares key by key; items says that the keys are those of named.
func mapChanges(path string, a, b map[string]any, items bool) []Change {
	keys := maps.Clone(a)
	if keys == nil {
		keys = map[string]any{}
	}
	maps.Copy(keys, b)
	var out []Change
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		p := path + k
		switch {
		case items:
		case plainKey.MatchString(k):
			p = path + "." + k
		default:
			p = fmt.Sprintf("%s[%q]", path, k)
		}
		out = append(out, changes(p, a[k], b[k])...)
	}
	return out
}

func named(l []any) (map[string]any, bool) {
	out := map[string]any{}
	for _, e := range l {
		m, ok := e.(map[string]any)
		if !ok {
			return nil, false
		}
		n, ok := m["name"].(string)
		if !ok {
			return nil, false
		}
		out[fmt.Sprintf("[name=%q]", n)] = e
	}
	return out, len(out) == len(l) && len(l) > 0
}
