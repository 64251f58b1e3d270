package asl

import (
	"encoding/json"
	"testing"
)

// A path leads to what was put there, and putting changes nothing else.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"$", "$.a", "$.a.b", "$['a b'].c", "$.list[0]"} {
		f.Add(s, `{"a":{"c":1},"list":[1]}`)
	}
	f.Fuzz(func(t *testing.T, text, input string) {
		p, err := parsePath(text)
		if err != nil || p.context {
			return
		}
		v, err := decode([]byte(input))
		if err != nil {
			return
		}
		before := string(mustEncode(t, v))
		for _, step := range p.steps {
			if _, item := step.(int); item {
				return // refused where a path is written to
			}
		}
		after, err := p.put(v, json.Number("7"))
		if err != nil {
			return
		}
		if got, ok := p.find(&scope{input: after}); !ok || got != json.Number("7") {
			t.Errorf("%q leads to %v", text, got)
		}
		if now := string(mustEncode(t, v)); now != before {
			t.Errorf("putting at %q changed %s to %s", text, before, now)
		}
	})
}
