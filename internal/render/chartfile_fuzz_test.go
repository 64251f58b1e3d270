package render

import (
	"fmt"
	"testing"

	"slipway/internal/fault"
)

// FuzzChartFile: whatever a Chart.yaml holds, rendering gives objects or an invalid application, and never panics
// (CVE-2024-26147, CVE-2025-55198).
func FuzzChartFile(f *testing.F) {
	for _, s := range []string{
		"apiVersion: v2\nname: web\nversion: 1.0.0\n", "name: ..\nversion: 1", "", "null", "[]", "name: a\nversion: 1\ndependencies: [null]",
		"name: a\nversion: 1\ndependencies: null\nmaintainers: [null]", "name: a\nversion: 1\ndependencies: [{name: a, alias: b, import-values: [1, {child: x}]}]",
		"name: a\nversion: 1\nannotations: {a: 1}", "a: &a [*a]", "name: a\nversion: 1\nkubeVersion: '>='", "name: a\nname: b", "\xff\xfe", "name: a\n---\nname: b",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := chartWith(fmt.Sprintf(configMap, "1"), "a: 1")
		in.Files["apps/web/Chart.yaml"] = data
		in.Files["apps/web/charts/a/Chart.yaml"] = data
		files := under(in.Files, "apps/web")
		r, err := newRelease(in, files, target) // not InProcess, which would recover
		if err == nil {
			_, err = r.templates()
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q gives an error that is %v: %v", data, fault.Of(err), err)
		}
	})
}
