package drift

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// Annotations on an Application or an object.
const (
	strictNote = "slipway.dev/strict"           // "true": what others added is removed
	pauseNote  = "slipway.dev/pause-heal-until" // RFC 3339
)

// heal puts one object right if its application wants that and its fields' time has come.
func heal(ctx context.Context, h *deploy.Held, j *judged, past memory) error {
	if why := off(h, j); why != "" {
		j.Because = strings.TrimPrefix(j.Because+"; "+why, "; ")
		return nil
	}
	now := time.Now()
	fields := healedFields(j)
	for _, f := range fields {
		at, fight := past.next(f, now)
		if fight {
			j.Fight = past[f].Fight
			return nil
		}
		if at.After(now) && at.After(j.Wait) {
			j.Wait = at
		}
	}
	if !j.Wait.IsZero() {
		return nil
	}
	if err := write(ctx, h, j); err != nil {
		return err
	}
	j.Healed = true
	for i, f := range fields {
		manager := ""
		if i < len(j.Fields) {
			manager = j.Fields[i].Manager
		}
		past.note(f, manager, now)
	}
	return nil
}

// off says why nothing is healed; empty if it is.
func off(h *deploy.Held, j *judged) string {
	a := h.Application
	if until := a.Annotations[pauseNote]; until != "" {
		if t, err := time.Parse(time.RFC3339, until); err == nil && time.Now().Before(t) {
			return "healing is paused until " + until
		}
	}
	switch j.Outcome {
	case Extra:
		return h.Keep(j.ID, j.live)
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

func healedFields(j *judged) []string {
	if len(j.Fields) == 0 {
		return []string{j.ID.String()}
	}
	out := make([]string, len(j.Fields))
	for i, f := range j.Fields {
		out[i] = j.ID.String() + " " + f.Path
	}
	return out
}

func write(ctx context.Context, h *deploy.Held, j *judged) error {
	live := j.live
	switch {
	case j.Outcome == Missing:
		_, err := h.Apply(ctx, j.ID, nil)
		return err
	case j.Outcome == Extra:
		return h.Delete(ctx, j.ID, live)
	}
	if j.blocked || j.Outcome == Foreign || len(j.added) > 0 && strict(h.Application, live) {
		var err error
		if live, err = remove(ctx, h, j); err != nil {
			return err
		}
	}
	if j.Outcome == Foreign {
		h.Remember(j.ID, manifest.MetadataOf(live))
		return nil
	}
	_, err := h.Apply(ctx, j.ID, live)
	return err
}

// remove takes out what others added, last item first so that the places of the others in a list stay right. Where our
// apply is blocked only list items go: they are what it collides with.
func remove(ctx context.Context, h *deploy.Held, j *judged) (*unstructured.Unstructured, error) {
	type op struct {
		Op   string `json:"op"`
		Path string `json:"path"`
	}
	var ops []op
	for _, o := range j.added {
		item := !strings.HasPrefix(o.Steps[len(o.Steps)-1], "f:")
		if !item && !strict(h.Application, j.live) {
			continue
		}
		if p, _, ok := ownership.Locate(j.live.Object, o.Steps); ok {
			ops = append(ops, op{"remove", p})
		}
	}
	if len(ops) == 0 {
		return j.live, nil
	}
	slices.SortFunc(ops, func(a, b op) int { return comparePointers(b.Path, a.Path) })
	b, err := json.Marshal(ops)
	if err != nil {
		return nil, fmt.Errorf("encode patch: %w", err)
	}
	return h.Patch(ctx, j.ID, j.live, b)
}

// comparePointers orders JSON pointers so that a list's later items come after its earlier ones.
func comparePointers(a, b string) int {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(as), len(bs)) {
		if len(as[i]) != len(bs[i]) && digits(as[i]) && digits(bs[i]) {
			return len(as[i]) - len(bs[i])
		}
		if c := strings.Compare(as[i], bs[i]); c != 0 {
			return c
		}
	}
	return len(as) - len(bs)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
