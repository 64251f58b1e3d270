package render

import (
	"path"
	"strings"
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// FuzzValueFile: a value file's name resolves to a clean path inside of the repository, or is refused (security R9).
func FuzzValueFile(f *testing.F) {
	for _, s := range []string{
		"values.yaml", "../../x", "../../../x", "/x", "//x", "/../x", "a/../../../../x", "$ARGOCD_APP_NAME.yaml", "$x/y", "${ARGOCD_APP_SOURCE_PATH}/../..",
		"http://x/y", "**/*.yaml", "[", "{a,b}.yaml", `a\b`, "\x00", "", ".", "..", "/", "$ARGOCD_APP_NAME/../../../x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a := application("apps/web")
		a.Source.Helm = &app.Helm{ValueFiles: []string{raw}}
		resolved, err := a.ValueFiles()
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		if p := resolved[0]; p != path.Clean(p) || path.IsAbs(p) || p == ".." || strings.HasPrefix(p, "../") {
			t.Errorf("%q resolves to %q", raw, p)
		}
	})
}

// FuzzValues: values that pass the check decode, and what does not pass says so without panic.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"a: 1", "a: &x [1]\nb: *x", "a: &x [*x]", "<<: {a: 1}\nb: 2", "? [a]\n: b", "a: !!binary x", "- a", "a: 1\n---\nb: 2", "{", "\xef\xbb\xbfa: 1", "1: 2\n", "null: x", "a: 1\na: 2"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decodeValues("values.yaml", data); err != nil && !strings.HasPrefix(err.Error(), "values.yaml:") {
			t.Errorf("%q: no file in front of %v", data, err)
		}
	})
}
