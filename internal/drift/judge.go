package drift

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// verdict is what came of one application's suspects.
type verdict struct {
	judged, healed int
	findings       []Finding
}

// judgeOne judges suspects under the application's lock and heals what may be healed.
func (d *Drift) judgeOne(ctx context.Context, name app.Name, ids []manifest.ID) (verdict, error) {
	var v verdict
	state, err := d.Of(ctx, name)
	if err != nil {
		return v, err
	}
	err = d.Holder.Hold(ctx, name, func(ctx context.Context, h *deploy.Held) error {
		var failed []error
		for _, id := range ids {
			f, err := judge(ctx, h, id)
			if err == nil && f.Outcome != InSync && f.Outcome != Touched {
				err = heal(ctx, h, &f, state.Heals)
			}
			if stop(err) {
				return err
			}
			if err != nil {
				f.Outcome, f.Because = Unknown, manifest.CleanText(err.Error(), 512)
				failed = append(failed, err)
			}
			v.judged++
			if f.Healed {
				v.healed++
			}
			v.findings = append(v.findings, f.Finding)
		}
		return nil
	})
	if err != nil {
		return v, err
	}
	v.findings = slices.DeleteFunc(v.findings, func(f Finding) bool { return f.Outcome == InSync || f.Outcome == Touched })
	state.Findings = append(slices.DeleteFunc(state.Findings, func(f Finding) bool { return slices.Contains(ids, f.ID) }), v.findings...)
	return v, d.save(ctx, name, state, time.Now())
}

// stop reports whether an error ends the whole run rather than one object's.
func stop(err error) bool {
	return fault.Is(err, fault.Superseded) || fault.Is(err, fault.Unavailable) || errors.Is(err, context.Canceled)
}

// judged is a finding and what it was found by.
type judged struct {
	Finding
	live    *unstructured.Unstructured
	added   []ownership.Owned
	blocked bool // our apply is refused as long as what others added is there
}

// judge looks at one object again: a fresh GET and one dry run of what was applied. Whatever the dry run would change is
// drift; defaulting, admission and quantities written another way are the same on both sides.
func judge(ctx context.Context, h *deploy.Held, id manifest.ID) (judged, error) {
	j := judged{Finding: Finding{ID: id, Outcome: InSync, Seen: time.Now()}}
	live, err := h.Get(ctx, id)
	if fault.Is(err, fault.NotFound) {
		if h.Has(id) {
			j.Outcome = Missing
		}
		return j, nil
	}
	if err != nil {
		return j, err
	}
	j.live = live
	switch {
	case live.GetDeletionTimestamp() != nil:
		j.Outcome, j.Because = Unknown, "it is being deleted"
		return j, nil
	case !h.Has(id):
		if h.Owns(live) {
			j.Outcome = Extra
		}
		return j, nil
	}
	j.added = ownership.Foreign(live.GetManagedFields())
	next, err := h.Try(ctx, id)
	if fault.Is(err, fault.Invalid) && len(j.added) > 0 {
		j.Outcome, j.blocked, j.Because = Drifted, true, manifest.CleanText(err.Error(), 512)
		j.Fields = foreignFields(live, j.added)
		return j, nil
	}
	if err != nil {
		return j, err
	}
	old, now := manifest.MaskPair(plain(live), plain(next))
	for _, c := range manifest.Changes(old.Object, now.Object) {
		f := Field{Path: c.Path, Old: c.New, New: c.Old} // what the dry run would make of it is what git says
		f.Manager, f.At = ownership.Who(live.GetManagedFields(), c.Path)
		j.Fields = append(j.Fields, f)
	}
	switch {
	case len(j.Fields) > 0:
		j.Outcome = Drifted
	case !h.Owns(live):
		j.Outcome, j.Because = Drifted, "our ownership of it was taken away"
	case len(j.added) > 0:
		j.Outcome, j.Fields = Foreign, foreignFields(live, j.added)
	default:
		j.Outcome = Touched
		h.Remember(id, manifest.MetadataOf(live))
	}
	if j.Outcome == Foreign {
		h.Remember(id, manifest.MetadataOf(live)) // reported until the object is touched again
	}
	return j, nil
}

func foreignFields(live *unstructured.Unstructured, added []ownership.Owned) []Field {
	shown := manifest.Mask(live)
	var out []Field
	for _, o := range added {
		_, v, _ := ownership.Locate(shown.Object, o.Steps)
		out = append(out, Field{Path: o.Path, New: brief(v), Manager: o.Manager, At: o.At})
	}
	return out
}

// brief keeps what fits a line: a sidecar is named by its path.
func brief(v any) any {
	switch v := v.(type) {
	case map[string]any, []any:
		return nil
	case string:
		return manifest.CleanText(v, 200)
	}
	return v
}

// plain is an object without what no apply decides.
func plain(u *unstructured.Unstructured) *unstructured.Unstructured {
	c := u.DeepCopy()
	manifest.Normalize(c)
	a := c.GetAnnotations()
	for k := range a {
		if strings.HasPrefix(k, manifest.FenceNote) {
			delete(a, k)
		}
	}
	c.SetAnnotations(a)
	return c
}
