package drift

import (
	"testing"

	"sigs.k8s.io/yaml"

	"slipway/internal/manifest"
)

func parsed(text string) (o map[string]any, ok bool) {
	return o, yaml.Unmarshal([]byte(text), &o) == nil && o != nil
}

// Whatever manifest.Changes calls a field is found where it is there, with the value that it has there.
func FuzzLocate(f *testing.F) {
	for _, s := range [][2]string{{"{a: 1}", "{a: 2}"}, {"{l: [{name: x}]}", "{l: [{name: y}]}"}, {`{"a\"]": {"": [1]}}`, `{"a\"]": {"": [2]}}`}} {
		f.Add(s[0], s[1], ".a[0]")
	}
	f.Fuzz(func(t *testing.T, a, b, path string) {
		if len(a)+len(b) > 4096 {
			return
		}
		x, okX := parsed(a)
		y, okY := parsed(b)
		if !okX || !okY {
			return
		}
		locate(x, path)
		for _, c := range manifest.Changes(x, y) {
			s, ok := locate(x, c.Path)
			if c.Path == "" {
				continue
			}
			if c.Old != nil && !ok {
				t.Fatalf("%s is not found in %v", c.Path, x)
			}
			if ok && string(mustJSON(value(x, s))) != string(mustJSON(c.Old)) {
				t.Fatalf("%s is %v, want %v", c.Path, value(x, s), c.Old)
			}
		}
	})
}
