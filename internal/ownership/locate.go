package ownership

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Has reports whether a set of fields has the field with these steps, such as f:metadata, f:labels, f:app.
func Has(f *metav1.FieldsV1, steps ...string) bool { return parse(f).has(steps...) }

// Locate finds a field of fieldsV1 in an object: its JSON pointer (RFC 6901) as the object is now, and its value. List
// items are found by their key or value, so the pointer holds only for this very state.
func Locate(obj map[string]any, steps []string) (pointer string, value any, ok bool) {
	var b strings.Builder
	value = obj
	for _, s := range steps {
		kind, rest, _ := strings.Cut(s, ":")
		if kind == "f" {
			m, is := value.(map[string]any)
			if !is {
				return "", nil, false
			}
			if value, is = m[rest]; !is {
				return "", nil, false
			}
			b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(rest))
			continue
		}
		l, is := value.([]any)
		if !is {
			return "", nil, false
		}
		i := indexOf(l, kind, rest)
		if i < 0 {
			return "", nil, false
		}
		value = l[i]
		b.WriteString("/" + strconv.Itoa(i))
	}
	return b.String(), value, true
}

// IndexOf is the place of a list's item by its step of fieldsV1, such as k:{"name":"app"}, -1 if it is not there.
func IndexOf(l []any, step string) int {
	kind, rest, _ := strings.Cut(step, ":")
	return indexOf(l, kind, rest)
}

func indexOf(l []any, kind, rest string) int {
	if kind == "i" {
		if i, err := strconv.Atoi(rest); err == nil && i >= 0 && i < len(l) {
			return i
		}
		return -1
	}
	var want any
	if json.Unmarshal([]byte(rest), &want) != nil {
		return -1
	}
	maybe := -1
	for i, e := range l {
		switch {
		case kind == "v" && same(e, want):
			return i
		case kind == "k":
			whole, fits := matches(e, want)
			if whole {
				return i
			}
			if fits && maybe < 0 {
				maybe = i
			}
		}
	}
	return maybe
}

// matches reports whether an item has the key's fields: all of them, or some. One that the item leaves out may be the
// server's default, such as a port's protocol, but an item that says it comes first: 53/TCP is not 53/UDP.
func matches(item, key any) (whole, fits bool) {
	m, ok := item.(map[string]any)
	k, is := key.(map[string]any)
	if !ok || !is {
		return false, false
	}
	whole = true
	for name, want := range k {
		got, there := m[name]
		if there && !same(got, want) {
			return false, false
		}
		whole = whole && there
	}
	return whole, true
}

// same compares JSON values; numbers by value, whatever they were decoded to.
func same(a, b any) bool {
	number := func(v any) (float64, bool) {
		switch n := v.(type) {
		case float64:
			return n, true
		case int64:
			return float64(n), true
		case int:
			return float64(n), true
		}
		return 0, false
	}
	if x, ok := number(a); ok {
		y, is := number(b)
		return is && x == y
	}
	return reflect.DeepEqual(a, b)
}
