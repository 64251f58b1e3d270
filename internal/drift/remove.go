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

// remove takes out fields that others added, last item first so that the places of the others in a list stay right.
func (j *judged) remove(ctx context.Context, h *deploy.Held, paths []string) (*unstructured.Unstructured, error) {
	type op struct {
		Op   string `json:"op"`
		Path string `json:"path"`
	}
	var ops []op
	for _, o := range j.added {
		if !slices.Contains(paths, o.Path) {
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
	// Two managers may own one field, and one a field that lies in another's: what went with its parent is gone.
	ops = slices.CompactFunc(ops, func(a, b op) bool { return a == b })
	all := slices.Clone(ops)
	ops = slices.DeleteFunc(ops, func(o op) bool {
		return slices.ContainsFunc(all, func(p op) bool { return strings.HasPrefix(o.Path, p.Path+"/") })
	})
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
