//go:build cluster

package conformance

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestASubchartThatHelmPackagedRendersAsItsFolderDoes vendors the archives that helm package makes.
func TestASubchartThatHelmPackagedRendersAsItsFolderDoes(t *testing.T) {
	var packaged, both int
	for _, c := range charts(t) {
		if c.name == "dependencies-below" { // helm package refuses it
			continue
		}
		root := write(t, c.files)
		folders, err := filepath.Glob(filepath.Join(root, c.dir, "charts", "*", "Chart.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range c.variants {
			if v.says != "" || len(folders) == 0 || len(deliberate[c.name+"/"+v.name].lines) > 0 {
				continue
			}
			t.Run(c.name+"/"+v.name, func(t *testing.T) {
				vendored := c
				vendored.files = maps.Clone(c.files)
				maps.DeleteFunc(vendored.files, func(p string, _ []byte) bool { return strings.HasPrefix(p, c.dir+"/charts/") })
				for _, f := range folders {
					made := t.TempDir()
					if _, stderr, err := runHelm(t, root, "package", filepath.Dir(f), "--destination", made); err != nil {
						t.Fatalf("helm package: %v: %s", err, stderr)
					}
					archives, err := filepath.Glob(made + "/*.tgz")
					if err != nil || len(archives) != 1 {
						t.Fatalf("helm package made %v, %v", archives, err)
					}
					data, err := os.ReadFile(archives[0])
					if err != nil {
						t.Fatal(err)
					}
					vendored.files[c.dir+"/charts/"+filepath.Base(archives[0])] = data
				}
				got := renderBoth(t, vendored, v)
				if len(got.differences) > 0 || got.helm != "" || got.ours != "" || got.both == 0 {
					t.Errorf("%q; helm %q, slipway %q", got.differences, got.helm, got.ours)
				}
				packaged++
				both += got.both
			})
		}
	}
	if packaged < 10 {
		t.Errorf("only %d ways of rendering have a packaged subchart", packaged)
	}
	t.Logf("%d ways with packaged subcharts: %d objects of both compared", packaged, both)
}
