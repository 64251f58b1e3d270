package drift

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/deploy"
	"slipway/internal/ownership"
)

// operation is one of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// remove takes out fields that others added, last item first so that the places of the others in a list stay right.
func (j *judged) remove(ctx context.Context, h *deploy.Held, paths []string) (*unstructured.Unstructured, error) {
	var ops []operation
	for _, o := range j.added {
		if !slices.Contains(paths, o.Path) {
			continue
		}
		if p, _, ok := ownership.Locate(j.live.Object, o.Steps); ok {
			ops = append(ops, operation{Op: "remove", Path: p})
		}
	}
	slices.SortFunc(ops, func(a, b operation) int { return comparePointers(b.Path, a.Path) })
	// Two managers may own one field, and one a field that lies in another's: what went with its parent is gone.
	ops = slices.CompactFunc(ops, func(a, b operation) bool { return a.Path == b.Path })
	all := slices.Clone(ops)
	ops = slices.DeleteFunc(ops, func(o operation) bool {
		return slices.ContainsFunc(all, func(p operation) bool { return strings.HasPrefix(o.Path, p.Path+"/") })
	})
	return j.patch(ctx, h, ops)
}

func (j *judged) patch(ctx context.Context, h *deploy.Held, ops []operation) (*unstructured.Unstructured, error) {
	if len(ops) == 0 {
		return j.live, nil
	}
	b, err := json.Marshal(ops)
	if err != nil {
		return nil, fmt.Errorf("encode patch: %w", err)
	}
	return h.Patch(ctx, j.ID, j.live, b)
}

// unblock puts the items that git says in the place of those that keep our apply out, in one patch: a Service whose only
// port was removed would be refused. What the patch has set is then disowned, so that it is the apply's alone.
func (j *judged) unblock(ctx context.Context, h *deploy.Held) (*unstructured.Unstructured, error) {
	var ops []operation
	for pointer, l := range blockedLists(h.Said(j.ID), j.live, j.added) {
		ops = append(ops, operation{"replace", pointer, l.next()})
	}
	live, err := j.patch(ctx, h, ops)
	if err != nil {
		return nil, err
	}
	return h.Disown(ctx, j.ID, live)
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
