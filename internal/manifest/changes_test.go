package manifest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestChangesByPath(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string
		want           []string // path: old -> new
	}{
		{"nothing", "a: 1", "a: 1", nil},
		{"a value", "a: {b: 1}", "a: {b: 2}", []string{".a.b: 1 -> 2"}},
		{"an added field", "a: {}", "a: {b: x}", []string{".a.b: <nil> -> x"}},
		{"a removed field", "a: {b: x}", "a: {}", []string{".a.b: x -> <nil>"}},
		{"another type", "a: {b: 1}", "a: [1]", []string{".a: map[b:1] -> [1]"}},
		{"a list by position", "a: [1, 2]", "a: [1, 3]", []string{".a[1]: 2 -> 3"}},
		{"a list of another length", "a: [1]", "a: [1, 2]", []string{".a: [1] -> [1 2]"}},
		{"named items, in another order", "c: [{name: a, v: 1}, {name: b, v: 2}]", "c: [{name: b, v: 3}, {name: a, v: 1}]", []string{`.c[name="b"].v: 2 -> 3`}},
		{"a named item more", "c: [{name: a}]", "c: [{name: a}, {name: b}]", []string{`.c[name="b"]: <nil> -> map[name:b]`}},
		{"one name twice goes by position", "c: [{name: a, v: 1}, {name: a, v: 2}]", "c: [{name: a, v: 1}, {name: a, v: 3}]", []string{".c[1].v: 2 -> 3"}},
		{"names that are no text", "c: [{name: 1}]", "c: [{name: 2}]", []string{".c[0].name: 1 -> 2"}},
		{"an emptied list", "c: [{name: a}]", "c: []", []string{".c: [map[name:a]] -> []"}},
		{"a key with dots", `m: {"a.b/c": 1}`, `m: {"a.b/c": 2}`, []string{`.m["a.b/c"]: 1 -> 2`}},
		{"an empty key", `m: {"": 1}`, `m: {"": 2}`, []string{`.m[""]: 1 -> 2`}},
		{"in order of paths", "{b: 1, a: 1}", "{b: 2, a: 2}", []string{".a: 1 -> 2", ".b: 1 -> 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var old, next map[string]any
			for text, into := range map[string]*map[string]any{tt.old: &old, tt.new: &next} {
				if err := yaml.Unmarshal([]byte(text), into); err != nil {
					t.Fatal(err)
				}
			}
			if tt.old == tt.new {
				next = old
			}
			var got []string
			for _, c := range Changes(old, next) {
				got = append(got, fmt.Sprintf("%s: %v -> %v", c.Path, c.Old, c.New))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
