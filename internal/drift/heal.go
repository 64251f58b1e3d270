package drift

import (
	"context"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/fault"
	"slipway/internal/ignore"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// Annotations on an Application or an object.
const (
	strictNote = "slipway.dev/strict"           // "true": what others added is removed
	pauseNote  = "slipway.dev/pause-heal-until" // on the Application, RFC 3339
)

// heal puts one object right if its application wants that, field by field as their time has come.
func heal(ctx context.Context, h *deploy.Held, j *judged, past memory) error {
	now := time.Now()
	due, held := schedule(j, past, now)
	if why := off(h, j, now); why != "" {
		j.Because = strings.TrimPrefix(j.Because+"; "+why, "; ")
		j.Wait, j.Fight = time.Time{}, ""
		return nil
	}
	if len(due) == 0 {
		return nil
	}
	if err := write(ctx, h, j, held); err != nil {
		return err
	}
	j.Healed = true
	for _, k := range due {
		past.note(k.key, k.manager, now)
	}
	return nil
}

// timed is a field of an object as the memory knows it.
type timed struct{ key, path, manager string }

func (j *judged) timed() []timed {
	if len(j.Fields) == 0 {
		return []timed{{key: j.ID.String()}}
	}
	out := make([]timed, len(j.Fields))
	for i, f := range j.Fields {
		out[i] = timed{j.ID.String() + " " + f.Path, f.Path, f.Manager}
	}
	return out
}

// schedule parts an object's fields into those to be healed now and those that wait or are fought over. Where fields can
// only be healed together, as the items that stand in the way of our apply, all wait for the last.
func schedule(j *judged, past memory, now time.Time) (due []timed, held []string) {
	for i, k := range j.timed() {
		past.saw(k.key, now)
		at, fight := past.next(k.key, now)
		switch {
		case fight:
			j.Fight = past[k.key].Fight
		case at.After(now):
			if j.Wait.IsZero() || at.Before(j.Wait) {
				j.Wait = at
			}
		default:
			due = append(due, k)
			continue
		}
		held = append(held, k.path)
		if i < len(j.Fields) {
			j.Fields[i].Wait, j.Fields[i].Fight = at, ""
			if fight {
				j.Fields[i].Fight = past[k.key].Fight
			}
		}
	}
	if j.blocked && len(held) > 0 {
		return nil, held
	}
	return due, held
}

// off says why nothing is healed; empty if it is.
func off(h *deploy.Held, j *judged, now time.Time) string {
	a := h.Application
	if until := a.Annotations[pauseNote]; until != "" {
		if t, err := time.Parse(time.RFC3339, until); err == nil && now.Before(t) {
			return "healing is paused until " + until
		}
	}
	switch j.Outcome {
	case Extra:
		if why := h.Keep(j.ID, j.live); why != "" {
			return why
		}
	case Foreign:
		if !strict(a, j.live) {
			return "nothing is removed without " + strictNote + `: "true"`
		}
	case Unknown:
		return "not judged"
	case InSync, Drifted, Missing, Touched:
	}
	if !a.Sync.Automated || !a.Sync.SelfHeal {
		return "selfHeal is off"
	}
	return ""
}

func strict(a app.Application, live *unstructured.Unstructured) bool {
	return a.Annotations[strictNote] == "true" || live.GetAnnotations()[strictNote] == "true"
}

func write(ctx context.Context, h *deploy.Held, j *judged, held []string) error {
	switch j.Outcome {
	case Missing:
		_, err := h.Apply(ctx, j.ID, nil, nil)
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		asked, made := h.MakeNamespace(ctx, j.ID)
		if !asked || made != nil {
			return cmpError(made, err)
		}
		_, err = h.Apply(ctx, j.ID, nil, nil)
		return err
	case Extra:
		return h.Delete(ctx, j.ID, j.live)
	case InSync, Drifted, Foreign, Touched, Unknown:
	}
	live, err := j.clear(ctx, h, held)
	if err != nil || j.Outcome == Foreign {
		return err
	}
	if j.bare {
		if live, err = h.Own(ctx, j.ID, live, j.next); err != nil {
			return err
		}
	}
	out, err := h.Apply(ctx, j.ID, live, func(f *ignore.Fields, live *unstructured.Unstructured) {
		for _, path := range held {
			leave(f, path, h.Said(j.ID), live)
		}
	})
	if err != nil {
		return err
	}
	j.saw(out)
	if len(held) > 0 {
		h.Forget(j.ID)
	}
	return nil
}

// clear removes what others added where it stands in the way or is not wanted, and remembers what is left.
func (j *judged) clear(ctx context.Context, h *deploy.Held, held []string) (*unstructured.Unstructured, error) {
	if j.blocked {
		return j.unblock(ctx, h)
	}
	all := strict(h.Application, j.live)
	var gone []string
	for _, o := range j.added {
		if (all || j.replaced(o)) && !slices.Contains(held, o.Path) {
			gone = append(gone, o.Path)
		}
	}
	if !all && len(gone) == 0 {
		return j.live, nil
	}
	live, err := j.remove(ctx, h, gone)
	if err != nil {
		return nil, err
	}
	if live, err = h.Disown(ctx, j.ID, live); err != nil { // a default that took the place of what was removed
		return nil, err
	}
	j.added = slices.DeleteFunc(j.added, func(o ownership.Owned) bool { return slices.Contains(gone, o.Path) })
	if j.Outcome == Foreign {
		h.Remember(j.ID, manifest.MetadataOf(live))
		j.saw(live)
	}
	return live, nil
}

// replaced reports whether o came with a template of a Rollout that somebody put in the place of git's, as an undo of
// kubectl's plugin does: what the API server had filled in of it, left behind, would make it another revision than git's.
func (j *judged) replaced(o ownership.Owned) bool {
	const template = ".spec.template"
	return j.ID.Group == "argoproj.io" && j.ID.Kind == "Rollout" && strings.HasPrefix(o.Path, template) &&
		slices.ContainsFunc(j.Fields, func(f Field) bool { return strings.HasPrefix(f.Path, template) && f.Manager == o.Manager })
}

func cmpError(first, second error) error {
	if first != nil {
		return first
	}
	return second
}
