package ignore

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/ownership"
)

// Fields are fields of one object that stay as they are live.
type Fields struct {
	said, live map[string]any
	entries    []metav1.ManagedFieldsEntry
	all, ours  ownership.Set
	left       node
	managers   []string // all that they own is left
	kept       []kept
}

// kept is a value in a list or map of one piece, by its keys and places in what git says.
type kept struct {
	path  []any
	value any
}

// node is a part of the object: it is left as a whole, or fields in it are, by their steps in the form of fieldsV1.
type node struct {
	whole bool
	next  map[string]*node
}

// Of has no fields of an object yet: said is what git says, live what is there.
func Of(said, live *unstructured.Unstructured) *Fields {
	f := &Fields{said: said.Object, live: live.Object, entries: live.GetManagedFields()}
	next, _ := ownership.Migrate(f.entries) // at first contact, what kubectl has applied becomes ours with the apply
	f.all = ownership.SetOf(next...)
	if e, ok := ownership.Ours(next); ok {
		f.ours = ownership.SetOf(e)
	}
	return f
}

// Of is the fields of an object that the rules name in what git says or in what is live. An error is Invalid if a jq
// expression selects too much, or no fields by its nature; Unavailable if it takes too long.
func (r Rules) Of(ctx context.Context, said, live *unstructured.Unstructured) (*Fields, error) {
	ctx, cancel := context.WithTimeout(ctx, jqTime)
	defer cancel()
	f := Of(said, live)
	for _, obj := range []map[string]any{f.said, f.live} {
		var forJQ any
		for _, rule := range r {
			for _, p := range rule.JSONPointers {
				f.leave(obj, pointed(obj, p))
			}
			for _, e := range rule.jq {
				if forJQ == nil {
					forJQ = plain(obj)
				}
				paths, err := e.paths(ctx, forJQ)
				if err != nil {
					return nil, err
				}
				for _, p := range paths {
					f.leave(obj, p)
				}
			}
		}
	}
	for _, rule := range r {
		f.leaveManagers(rule.ManagedFieldsManagers)
	}
	return f, nil
}

// leaveManagers leaves what field managers own, in whatever subresource.
func (f *Fields) leaveManagers(names []string) {
	f.managers = append(f.managers, names...)
	for _, e := range f.entries {
		if slices.Contains(names, e.Manager) {
			for _, steps := range ownership.SetOf(e).Leaves() {
				f.left.add(steps)
			}
		}
	}
}

// pointed is a JSON pointer as keys and places of obj.
func pointed(obj map[string]any, pointer string) []any {
	var out []any
	var at any = obj
	for _, token := range strings.Split(pointer, "/")[1:] {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch v := at.(type) {
		case map[string]any:
			out, at = append(out, token), v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return append(out, token) // nothing is there
			}
			out, at = append(out, i), v[i]
		default:
			return append(out, token)
		}
	}
	return out
}

// Leave adds a field by its keys.
func (f *Fields) Leave(keys ...string) {
	steps := make([]string, len(keys))
	for i, k := range keys {
		steps[i] = "f:" + k
	}
	f.left.add(steps)
}

// LeaveLive adds a field by its keys (string) and places (int) in what is live.
func (f *Fields) LeaveLive(path ...any) { f.leave(f.live, path) }

// LeaveSaid adds a field by its keys and places in what git says.
func (f *Fields) LeaveSaid(path ...any) { f.leave(f.said, path) }

// Keep has a field of what git says take a value that is live, by its keys (string) and places (int): one in a list or map
// that the API server keeps in one piece, where it lies at another place in what is live, or is nobody's own. Without what
// it lies in, nothing is kept.
func (f *Fields) Keep(v any, path ...any) { f.kept = append(f.kept, kept{path, v}) }

// leave adds the field of obj at path, if it is there. Items of lists are known by their key from here on: a place in
// what git says is another one in what is live as soon as somebody has added an item.
func (f *Fields) leave(obj map[string]any, path []any) {
	var steps []string
	var at any = obj
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := at.(map[string]any)
			if !ok {
				return
			}
			if at, ok = m[p]; !ok {
				return
			}
			steps = append(steps, "f:"+p)
		case int:
			l, ok := at.([]any)
			if p < 0 {
				p += len(l) // jq counts from the end
			}
			if !ok || p < 0 || p >= len(l) {
				return
			}
			steps = append(steps, f.item(steps, l, p))
			at = l[p]
		default:
			return
		}
	}
	f.left.add(steps)
}

func (n *node) add(steps []string) {
	for _, s := range steps {
		if n.whole {
			return
		}
		if n.next == nil {
			n.next = map[string]*node{}
		}
		if n.next[s] == nil {
			n.next[s] = &node{}
		}
		n = n.next[s]
	}
	n.whole, n.next = true, nil
}

// item is the step to the i'th item of a list. Managed fields tell how the API server keeps the list: by which keys, by
// value, or in one piece. Where they tell nothing, as in a list of defaults, names are taken for keys.
func (f *Fields) item(at []string, l []any, i int) string {
	below := f.all.Below(at)
	for _, s := range below {
		if ownership.IndexOf(l, s) == i {
			return s
		}
	}
	m, isMap := l[i].(map[string]any)
	switch {
	case len(below) > 0 && strings.HasPrefix(below[0], "k:") && isMap:
		var key map[string]any
		if json.Unmarshal([]byte(below[0][2:]), &key) == nil {
			return keyed(m, key)
		}
	case len(below) > 0 && strings.HasPrefix(below[0], "v:"):
		if b, err := json.Marshal(l[i]); err == nil {
			return "v:" + string(b)
		}
	case !f.all.Reaches(at) && isMap && named(l):
		return keyed(m, map[string]any{"name": nil})
	}
	return "i:" + strconv.Itoa(i)
}

// keyed is the step to an item by the fields of key that it has.
func keyed(item, key map[string]any) string {
	mine := map[string]any{}
	for k := range key {
		if v, ok := item[k]; ok {
			mine[k] = v
		}
	}
	b, err := json.Marshal(mine)
	if err != nil {
		return "k:{}" // JSON values: it cannot be
	}
	return "k:" + string(b)
}

// named reports whether each item has a name of its own.
func named(l []any) bool {
	seen := map[string]bool{}
	for _, e := range l {
		m, ok := e.(map[string]any)
		if !ok {
			return false
		}
		n, ok := m["name"].(string)
		if !ok || seen[n] {
			return false
		}
		seen[n] = true
	}
	return true
}
