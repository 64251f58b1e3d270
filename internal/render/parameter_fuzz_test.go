package render

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParameter: no name and value panic, take much memory, or change a second top-level key.
func FuzzParameter(f *testing.F) {
	for _, s := range [][2]string{
		{"a", "1"}, {"a.b[0].c", "{x,y}"}, {`a\.b`, `x\,y`}, {"a[65536]", ""}, {"a[0][0][0]", "null"}, {"a..b", "{"}, {`\`, `\`}, {"b[0].x", "{}}"}, {"a=b", "c,d=e"},
	} {
		f.Add(s[0], s[1], false)
		f.Add(s[0], s[1], true)
	}
	f.Fuzz(func(t *testing.T, name, value string, force bool) {
		kept := map[string]any{"canary": map[string]any{"x": "y"}}
		got := map[string]any{"canary": map[string]any{"x": "y"}}
		path, err := parseName(name)
		if err == nil && path[0].key == "canary" {
			return
		}
		if err := setParameter(got, name, value, force); err != nil {
			return
		}
		if len(got) > 2 {
			t.Errorf("%q=%q sets %d keys", name, value, len(got)-1)
		}
		if !cmp.Equal(got["canary"], kept["canary"]) {
			t.Errorf("%q=%q changes another key", name, value)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%q=%q gives no JSON: %v", name, value, err)
		}
	})
}
