package app_test

import (
	"encoding/json"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "slipway/internal/app"
	"slipway/internal/fault"
)

// Whatever a file says: no panic, an error is the user's, of bounded size and names the file; and what is accepted is safe
// and the same after it was stored.
func FuzzDecode(f *testing.F) {
	application, set := string(read(f, "application.yaml")), string(read(f, "applicationset.yaml"))
	for _, s := range []string{
		application, set, application + "---\n" + set, text("a"), "apiVersion: v1\nkind: List\nitems:\n- " + text("a"),
		strings.Replace(application, "main", "refs/heads/main", 1), strings.Replace(application, "path: apps/order-service", "path: apps/../..", 1),
		strings.Replace(application, "helm:", "helm:\n      valuesObject: &a {b: [1, 2.5, null, yes]}\n      parameters: [{name: a, value: *a}]", 1),
		"a: &a [*a]", "<<: {a: b}", "? a\n: b", bomb(3), "--- |\n a\n--- >\n b", "%YAML 1.1\n---\na: b", "a: !!binary aGVsbG8=", "\ufeffa: b", "a: 2026-01-02", "1: 2\n1.0: 3\ntrue: 4", "a: .inf", "a: 0x7fffffffffffffffff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		d, err := Decode("f.yaml", []byte(file))
		if err != nil {
			if !fault.Is(err, fault.Invalid) || len(d.Applications)+len(d.Sets) > 0 {
				t.Fatalf("%s: %v with %+v", fault.Of(err), err, d)
			}
			lines := strings.Split(err.Error(), "\n")
			if !strings.HasPrefix(lines[0], "f.yaml:") || len(lines) > 30 || len(err.Error()) > 40_000 {
				t.Fatalf("error of %d lines and %d bytes: %.300s", len(lines), len(err.Error()), err)
			}
			return
		}
		for _, r := range d.Applications {
			safe(t, r.Application)
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var again Registered
			if err := json.Unmarshal(b, &again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r, again); diff != "" {
				t.Fatalf("changed by storing it: %s", diff)
			}
		}
	})
}

func safe(t *testing.T, a Application) {
	t.Helper()
	src, err := a.From()
	if err != nil || src.Ref == "" {
		t.Fatalf("accepted a source that is none: %v, %+v", err, a.Source)
	}
	p := a.Source.Path
	if p != path.Clean(p) || path.IsAbs(p) || p == ".." || strings.HasPrefix(p, "../") {
		t.Fatalf("accepted path %q", p)
	}
	if a.Source.Helm != nil {
		for _, v := range a.Source.Helm.ValueFiles {
			at := path.Join(p, v)
			if path.IsAbs(v) {
				at = path.Clean(strings.TrimPrefix(v, "/"))
			}
			if at == ".." || strings.HasPrefix(at, "../") || strings.Contains(v, "://") {
				t.Fatalf("accepted value file %q of %q", v, p)
			}
		}
	}
	if a.Name == "" || a.Namespace == "" || a.Project != DefaultProject || (a.Destination.Server == "") == (a.Destination.Name == "") {
		t.Fatalf("accepted %+v", a)
	}
}
