package appset_test

import (
	"os"
	"strings"
	"testing"

	"slipway/internal/app"
	"slipway/internal/appset"
	"slipway/internal/fault"
)

// Whatever a set says: all of its applications or none, each as strict as one from a file, and an error is the user's.
func FuzzExpand(f *testing.F) {
	b, err := os.ReadFile("testdata/applicationset.yaml")
	if err != nil {
		f.Fatal(err)
	}
	whole := string(b)
	for _, s := range []string{
		whole,
		strings.ReplaceAll(whole, "{{cluster}}", "{{ cluster }}{{x}}"),
		strings.ReplaceAll(whole, "{{cluster}}", "{{{{cluster}}}}"),
		strings.ReplaceAll(whole, "{{values_file}}", "{{values_file}} {{"),
		strings.ReplaceAll(whole, "values-", "{{cluster}}"),
		strings.ReplaceAll(whole, "namespace: production", "{{url}}: '{{cluster}}'"),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := app.Decode("f.yaml", []byte(text))
		if err != nil {
			return
		}
		for _, s := range d.Sets {
			apps, _, err := appset.Expand(s)
			if err != nil {
				if len(apps) > 0 || !fault.Is(err, fault.Invalid) || err.Error() == "" {
					t.Fatalf("%d applications with %v", len(apps), err)
				}
				continue
			}
			seen := map[app.Name]bool{}
			for _, a := range apps {
				if seen[a.Key()] || a.Name == "" || a.Namespace != s.Namespace || a.Project != app.DefaultProject {
					t.Fatalf("made %+v", a)
				}
				seen[a.Key()] = true
			}
			if len(apps) != len(s.Elements) {
				t.Fatalf("%d applications of %d elements", len(apps), len(s.Elements))
			}
		}
	})
}
