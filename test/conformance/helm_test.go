//go:build cluster

package conformance

import (
	"log"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/render"
)

// outcome is what one rendering by both came to.
type outcome struct {
	differences []string
	both        int    // objects that both rendered
	helm, ours  string // why each refused; "" if it rendered
}

// renderBoth renders one variant with helm template and with slipway.
func renderBoth(t *testing.T, c chartCase, v variant) outcome {
	t.Helper()
	declared := c.declare(t, v)
	log.SetOutput(t.Output()) // Helm's coalescing warns there
	defer log.SetOutput(os.Stderr)
	stdout, stderr, helmErr := runHelm(t, path.Join(write(t, c.files), c.dir), templateArgs(t, v)...)
	r, ourErr := render.InProcess(app.Inputs{Application: declared, Files: c.files}, target)
	if ourErr != nil && !fault.Is(ourErr, fault.Invalid) {
		t.Errorf("slipway's error is %v, want invalid: %v", fault.Of(ourErr), ourErr)
	}
	var o outcome
	if helmErr != nil {
		o.helm = stderr
		o.differences = append(o.differences, "helm refuses")
	}
	// What render lets pass and deploy refuses counts as refused.
	for _, obj := range r.Objects {
		if err := manifest.Refuse(obj); err != nil && ourErr == nil {
			ourErr = err
		}
	}
	if ourErr != nil {
		o.ours = ourErr.Error()
		o.differences = append(o.differences, "slipway refuses")
	}
	switch {
	case helmErr != nil && ourErr != nil:
		o.differences = nil
	case helmErr == nil && ourErr == nil:
		o.differences, o.both = compare(printed(t, stdout, chartName(t, c), c.dir), rendered(t, r.Objects))
	}
	return o
}

func chartName(t *testing.T, c chartCase) string {
	t.Helper()
	var md struct{ Name string }
	if err := yaml.Unmarshal(c.files[c.dir+"/Chart.yaml"], &md); err != nil {
		t.Fatal(err)
	}
	return md.Name
}

// TestSlipwayRendersWhatHelmTemplateDoes holds each chart against Helm's own program. Where they differ on purpose
// deliberate says so and why; a difference that is not there, and one that is there and no longer seen, fail.
func TestSlipwayRendersWhatHelmTemplateDoes(t *testing.T) {
	unseen := maps.Clone(deliberate)
	total := struct{ charts, variants, objects, refused, differences int }{}
	for _, c := range charts(t) {
		total.charts++
		for _, v := range c.variants {
			name := strings.TrimSuffix(c.name+"/"+v.name, "/")
			want := deliberate[name]
			delete(unseen, name)
			t.Run(name, func(t *testing.T) {
				got := renderBoth(t, c, v)
				if diff := cmp.Diff(want.lines, got.differences); diff != "" {
					t.Errorf("differences are not those of the table (-table +seen):\n%s", diff)
				}
				for who, reason := range map[string]string{"helm": got.helm, "slipway": got.ours} {
					says := v.says
					if slices.Contains(want.lines, who+" refuses") {
						says = want.says
					}
					if (reason == "") != (says == "") || !strings.Contains(reason, says) {
						t.Errorf("%s refuses with %q, want %q", who, reason, says)
					}
				}
				if len(want.lines) > 0 && want.why == "" {
					t.Error("the table gives no reason")
				}
				if got.both == 0 && got.helm == "" && got.ours == "" {
					t.Error("compared nothing")
				}
				total.variants++
				total.objects += got.both
				total.differences += len(want.lines)
				if got.helm != "" && got.ours != "" {
					total.refused++
				}
			})
		}
	}
	for name := range unseen {
		t.Errorf("the table has differences of %s, which is no chart", name)
	}
	t.Logf("%d charts rendered in %d ways: %d objects of both compared, %d ways refused by both, %d deliberate differences",
		total.charts, total.variants, total.objects, total.refused, total.differences)
}
