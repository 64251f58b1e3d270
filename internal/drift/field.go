package drift

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// differences are the fields that an apply would change: live is what is there, next what it would make of it. Values
// are masked, and cut to what fits a line.
func differences(live, next *unstructured.Unstructured) []Field {
	is, said := manifest.MaskPair(plain(live), plain(next))
	var out []Field
	for _, c := range manifest.Changes(is.Object, said.Object) {
		out = append(out, Field{Path: c.Path, Old: brief(c.New), New: brief(c.Old)})
	}
	out = append(out, orders("", is.Object, said.Object)...)
	entries := live.GetManagedFields()
	for i := range out {
		if p, ok := locate(live.Object, out[i].Path); ok {
			out[i].Manager, out[i].At = ownership.Who(entries, live.Object, p.pointer())
		}
	}
	return out
}

// orders are the lists whose items are the same, by name, in another order: the variables of an environment may refer to
// the ones before them. manifest.Changes compares such lists by name only.
func orders(path string, a, b any) []Field {
	var out []Field
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok {
			return nil
		}
		for _, k := range slices.Sorted(maps.Keys(a)) {
			out = append(out, orders(path+key(k), a[k], b[k])...)
		}
	case []any:
		b, ok := b.([]any)
		as, named := names(a)
		bs, too := names(b)
		switch {
		case !ok || len(a) != len(b):
		case named && too:
			if !slices.Equal(as, bs) && slices.Equal(slices.Sorted(slices.Values(as)), slices.Sorted(slices.Values(bs))) {
				out = append(out, Field{Path: path, Old: strings.Join(bs, ", "), New: strings.Join(as, ", ")})
			}
			for i, n := range as {
				if j := slices.Index(bs, n); j >= 0 {
					out = append(out, orders(fmt.Sprintf("%s[name=%q]", path, n), a[i], b[j])...)
				}
			}
		default:
			for i := range a {
				out = append(out, orders(fmt.Sprintf("%s[%d]", path, i), a[i], b[i])...)
			}
		}
	}
	return out
}

func names(l []any) (out []string, ok bool) {
	for _, e := range l {
		m, is := e.(map[string]any)
		n, named := m["name"].(string)
		if !is || !named || slices.Contains(out, n) {
			return nil, false
		}
		out = append(out, n)
	}
	return out, len(out) > 0
}

// key is a field's name in a path, as manifest.Changes writes it.
func key(k string) string {
	for _, r := range k {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '$' || r == '-') {
			return fmt.Sprintf("[%q]", k)
		}
	}
	if k == "" {
		return `[""]`
	}
	return "." + k
}

// foreignFields names what others have added.
func foreignFields(live *unstructured.Unstructured, added []ownership.Owned) []Field {
	shown := manifest.Mask(live)
	var out []Field
	for _, o := range added {
		_, v, _ := ownership.Locate(shown.Object, o.Steps)
		out = append(out, Field{Path: o.Path, New: brief(v), Manager: o.Manager, At: o.At})
	}
	return out
}

// valueCap bounds a value that is shown, in bytes.
const valueCap = 200

// brief keeps what fits a line: a sidecar is named by its path.
func brief(v any) any {
	switch v := v.(type) {
	case map[string]any, []any:
		return nil
	case string:
		return manifest.CleanText(v, valueCap)
	}
	return v
}

// plain is an object without what no apply decides.
func plain(u *unstructured.Unstructured) *unstructured.Unstructured {
	c := u.DeepCopy()
	manifest.Normalize(c)
	a := c.GetAnnotations()
	delete(a, manifest.FenceNote)
	c.SetAnnotations(a)
	return c
}

// steps is a field in one object: the keys and places down to it.
type steps []any // string: a key; int: a place in a list

func (s steps) pointer() string {
	var b strings.Builder
	for _, e := range s {
		b.WriteByte('/')
		switch e := e.(type) {
		case int:
			b.WriteString(strconv.Itoa(e))
		case string:
			b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(e))
		}
	}
	return b.String()
}
