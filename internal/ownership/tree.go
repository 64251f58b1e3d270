// Package ownership reads metadata.managedFields as data: which fields are ours, whether anybody touched them, what
// others own. It is how drift is found without reading or comparing a single value.
package ownership

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// tree is a set of fields in the form of fieldsV1: f:name is a field, k:{...} an item by its key, v:... an item by its
// value, i:0 one by its place. An element without children is in the set; one with children only if "." is among them
// (structured-merge-diff fieldpath/serialize.go).
type tree map[string]tree

// itself is the key by which an element with children says that it is in the set too.
const itself = "."

// parse reads f. What is no set of fields is empty: the API server writes none such, and an empty set claims nothing.
func parse(f *metav1.FieldsV1) tree {
	t := tree{}
	if f == nil || json.Unmarshal(f.GetRawBytes(), &t) != nil {
		return tree{}
	}
	return t
}

// encode is t as fieldsV1, with sorted keys: the same bytes for equal sets. The server's own order is another one, and
// is lost on the way through a decoded object.
func (t tree) encode() []byte {
	return t.append(nil)
}

func (t tree) append(b []byte) []byte {
	b = append(b, '{')
	for i, k := range slices.Sorted(maps.Keys(t)) {
		if i > 0 {
			b = append(b, ',')
		}
		name, _ := json.Marshal(k) //nolint:errcheck,errchkjson // a string
		b = append(append(b, name...), ':')
		b = t[k].append(b)
	}
	return append(b, '}')
}

// has reports whether path is in the set.
func (t tree) has(path ...string) bool {
	for _, p := range path {
		c, ok := t[p]
		if !ok {
			return false
		}
		t = c
	}
	_, dot := t[itself]
	return len(t) == 0 || dot
}

// union adds what is in o to t. An element that is in one of the sets by itself, and has children in the other, needs
// its dot, or it would be lost.
func (t tree) union(o tree) {
	for k, theirs := range o {
		ours, ok := t[k]
		if !ok {
			t[k] = theirs.clone()
			continue
		}
		if k == itself || len(ours) == 0 && len(theirs) == 0 {
			continue
		}
		if len(ours) == 0 {
			ours = tree{itself: {}}
			t[k] = ours
		}
		if len(theirs) == 0 {
			ours[itself] = tree{}
			continue
		}
		ours.union(theirs)
	}
}

func (t tree) clone() tree {
	c := make(tree, len(t))
	for k, v := range t {
		c[k] = v.clone()
	}
	return c
}

// walk calls f with each path in the set, parents first, siblings in order.
func (t tree) walk(path []string, f func(path []string)) {
	for _, k := range slices.Sorted(maps.Keys(t)) {
		if k == itself {
			continue
		}
		c := t[k]
		here := append(slices.Clip(path), k)
		if _, dot := c[itself]; dot || len(c) == 0 {
			f(here)
		}
		c.walk(here, f)
	}
}

// Paths is the fields of f for people, sorted by their place: .spec.template.spec.containers[name="app"].image.
func Paths(f *metav1.FieldsV1) []string {
	var out []string
	parse(f).walk(nil, func(path []string) { out = append(out, readable(path)) })
	return out
}

func readable(path []string) string {
	var b strings.Builder
	for _, p := range path {
		kind, rest, _ := strings.Cut(p, ":")
		switch {
		case kind == "f" && plainName(rest):
			b.WriteString("." + rest)
		case kind == "f":
			fmt.Fprintf(&b, "[%q]", rest)
		case kind == "k":
			b.WriteString("[" + readableKey(rest) + "]")
		default: // a value, in JSON, or a place
			b.WriteString("[" + rest + "]")
		}
	}
	return b.String()
}

func readableKey(key string) string {
	var m map[string]json.RawMessage
	if json.Unmarshal([]byte(key), &m) != nil {
		return key
	}
	parts := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+"="+string(m[k]))
	}
	return strings.Join(parts, ",")
}

// plainName tells names that need no quotes; labels such as slipway.dev/application do.
func plainName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '$')
	})
}
