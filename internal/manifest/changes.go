package manifest

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
)

// Change is one field. Old or New is nil where the field is not there.
type Change struct {
	Path string `json:"path"` // .spec.template.spec.containers[name="app"].image
	Old  any    `json:"old,omitempty"`
	New  any    `json:"new,omitempty"`
}

// Changes is what leads from a to b, by path.
func Changes(a, b map[string]any) []Change { return changes("", a, b) }

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
