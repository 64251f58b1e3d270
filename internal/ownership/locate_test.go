package ownership

import (
	"testing"
)

func TestAFieldIsLocatedInAnObjectAsItIs(t *testing.T) {
	obj := map[string]any{"m": map[string]any{"a/b~c": "x"}, "l": []any{
		map[string]any{"port": int64(80), "name": "http"}, map[string]any{"port": float64(81), "protocol": "UDP"}, "v", true,
	}}
	for _, c := range []struct {
		steps   []string
		pointer string
	}{
		{[]string{"f:m", "f:a/b~c"}, "/m/a~1b~0c"},
		{[]string{"f:l", `k:{"port":80,"protocol":"TCP"}`, "f:name"}, "/l/0/name"}, // the default is left out
		{[]string{"f:l", `k:{"port":81,"protocol":"UDP"}`}, "/l/1"},
		{[]string{"f:l", `k:{"port":81,"protocol":"TCP"}`}, ""},
		{[]string{"f:l", `v:"v"`}, "/l/2"},
		{[]string{"f:l", "v:true"}, "/l/3"},
		{[]string{"f:l", "i:3"}, "/l/3"},
		{[]string{"f:l", "i:4"}, ""},
		{[]string{"f:l", "i:-1"}, ""},
		{[]string{"f:l", "k:nonsense"}, ""},
		{[]string{"f:l", "f:x"}, ""},
		{[]string{"f:m", "v:1"}, ""},
		{[]string{"f:m", "f:none"}, ""},
	} {
		if got, _, ok := Locate(obj, c.steps); ok != (c.pointer != "") || ok && got != c.pointer {
			t.Errorf("%q is at %q, %v, want %q", c.steps, got, ok, c.pointer)
		}
	}
}
