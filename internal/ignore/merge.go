package ignore

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"slipway/internal/ownership"
)

// value is a value that may not be there.
type value struct {
	v     any
	there bool
}

// Merge is what git says with the fields as they are live. A field that is not live is not in it, but for those of a
// list's item that is not live either: the item is made as git says. One that git does not say is in it only if our applies
// own it, so that sending the rest does not delete it. Of others' fields it takes none over, but for lists and maps that
// the API server keeps in one piece.
func (f *Fields) Merge() *unstructured.Unstructured {
	said := runtime.DeepCopyJSON(f.said)
	for _, k := range f.kept {
		k.put(said)
	}
	out := mapping(f.merge(value{said, true}, value{f.live, true}, nil, &f.left))
	if out == nil {
		out = said // nothing is left of an empty object: what git says is never empty
	}
	return &unstructured.Unstructured{Object: runtime.DeepCopyJSON(out)} // parts of it are live's
}

// put sets the value in an object that has what it lies in.
func (k kept) put(obj map[string]any) {
	var at any = obj
	for i, p := range k.path {
		last := i == len(k.path)-1
		switch p := p.(type) {
		case string:
			m, ok := at.(map[string]any)
			if !ok {
				return
			}
			if last {
				m[p] = k.value
			}
			at = m[p]
		case int:
			l, ok := at.([]any)
			if !ok || p < 0 || p >= len(l) {
				return
			}
			if last {
				l[p] = k.value
			}
			at = l[p]
		default:
			return
		}
	}
}

func (f *Fields) merge(said, live value, at []string, n *node) value {
	if n.whole {
		return f.blend(said, live, at)
	}
	if len(n.next) == 0 {
		return said
	}
	sample := said.v
	if !said.there {
		sample = live.v
	}
	switch sample.(type) {
	case map[string]any:
		return f.mergeMap(said, live, at, n)
	case []any:
		return f.mergeList(said, live, at, n)
	}
	return said
}

func (f *Fields) mergeMap(said, live value, at []string, n *node) value {
	out, l := mapping(said), mapping(live)
	if out == nil {
		out = map[string]any{}
	}
	was := len(out)
	for _, step := range slices.Sorted(maps.Keys(n.next)) {
		key, ok := strings.CutPrefix(step, "f:")
		if !ok {
			continue
		}
		if v := f.merge(get(out, key), get(l, key), below(at, step), n.next[step]); v.there {
			out[key] = v.v
		} else {
			delete(out, key)
		}
	}
	// A map that git says only for the sake of what is left alone is not live either.
	if len(out) == 0 && (!said.there || was > 0 && !live.there) {
		return value{}
	}
	return value{out, true}
}

func (f *Fields) mergeList(said, live value, at []string, n *node) value {
	s, l := list(said), list(live)
	steps := slices.Sorted(maps.Keys(n.next))
	byPlace := map[int]string{}
	for _, step := range steps {
		if i := ownership.IndexOf(s, step); i >= 0 {
			byPlace[i] = step
		}
	}
	var out []any
	for i, item := range s {
		step, left := byPlace[i]
		if !left || !n.next[step].whole && ownership.IndexOf(l, step) < 0 {
			out = append(out, item) // made anew, as git says: without its image a container would be refused
		} else if v := f.merge(value{item, true}, place(l, ownership.IndexOf(l, step)), below(at, step), n.next[step]); v.there {
			out = append(out, v.v)
		}
	}
	for _, step := range steps {
		if ownership.IndexOf(s, step) >= 0 {
			continue
		}
		if v := f.merge(value{}, place(l, ownership.IndexOf(l, step)), below(at, step), n.next[step]); v.there {
			out = append(out, withKey(v.v, step))
		}
	}
	if len(out) == 0 && (!said.there || len(s) > 0 && !live.there) {
		return value{}
	}
	if out == nil {
		out = []any{}
	}
	return value{out, true}
}

// blend is the live value, as far as git says it or our applies own it.
func (f *Fields) blend(said, live value, at []string) value {
	if !live.there || !said.there && !f.ours.Reaches(at) {
		return value{}
	}
	inOnePiece := len(at) > 0 && f.all.Reaches(at) && len(f.all.Below(at)) == 0
	switch l := live.v.(type) {
	case map[string]any:
		s := mapping(said)
		if inOnePiece && len(l) > 0 || said.there && s == nil {
			return live
		}
		out := map[string]any{}
		for k, v := range l {
			if b := f.blend(get(s, k), value{v, true}, below(at, "f:"+k)); b.there {
				out[k] = b.v
			}
		}
		return value{out, true}
	case []any:
		s := list(said)
		if inOnePiece || said.there && s == nil {
			return live
		}
		out := []any{}
		for i, e := range l {
			step := f.item(at, l, i)
			if strings.HasPrefix(step, "i:") {
				return live
			}
			if b := f.blend(place(s, ownership.IndexOf(s, step)), value{e, true}, below(at, step)); b.there {
				out = append(out, b.v)
			}
		}
		return value{out, true}
	}
	return live
}

func mapping(v value) map[string]any {
	m, _ := v.v.(map[string]any) //nolint:errcheck // anything else has no fields
	return m
}

func list(v value) []any {
	l, _ := v.v.([]any) //nolint:errcheck // anything else has no items
	return l
}

func get(m map[string]any, key string) value {
	v, ok := m[key]
	return value{v, ok}
}

func place(l []any, i int) value {
	if i < 0 || i >= len(l) {
		return value{}
	}
	return value{l[i], true}
}

func below(at []string, step string) []string { return append(slices.Clip(at), step) }

// withKey gives an item that is made anew the fields by which it is known.
func withKey(item any, step string) any {
	m, ok := item.(map[string]any)
	key, isKey := strings.CutPrefix(step, "k:")
	var fields map[string]any
	if !ok || !isKey || json.Unmarshal([]byte(key), &fields) != nil {
		return item
	}
	maps.Copy(fields, m)
	return fields
}
