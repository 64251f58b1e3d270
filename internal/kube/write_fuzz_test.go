package kube

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// The server reads an apply as YAML: what it reads must be what JSON says.
func FuzzYAMLSafe(f *testing.F) {
	for _, s := range []string{"", "\ufeff", "a\x7fb", "\u0080\u0085\u009f\u00a0", "\ufffe\uffff", "\u2028", "\\u007f", "\"", "ü\U0001f600", "- a: b #", "\x00\x1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // encoding/json replaces it before
		}
		body, err := json.Marshal(map[string]string{"k": s})
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]string
		if err := yaml.Unmarshal(yamlSafe(body), &got); err != nil || got["k"] != s {
			t.Errorf("%q became %q, %v", s, got["k"], err)
		}
	})
}
