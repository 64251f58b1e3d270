package asl

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// What decode takes, Go's own decoder takes too, and it comes back as it was.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.50,-0,1e400,"<&>\u2028"],"b":null}`, `{"a":1,"a":2}`, `[`, `1 2`, strings.Repeat("[", 200), `"\ud800"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := decode([]byte(text))
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q is no JSON", text)
		}
		data := mustEncode(t, v)
		again, err := decode(data)
		if err != nil || string(mustEncode(t, again)) != string(data) {
			t.Errorf("%q became %s: %v", text, data, err)
		}
		if !utf8.Valid(data) {
			t.Errorf("%q became invalid text", text)
		}
	})
}
