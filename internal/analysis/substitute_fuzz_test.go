package analysis

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/google/go-cmp/cmp"
)

func FuzzAValueIsPutWhereItsArgumentStandsAndNowhereElse(f *testing.F) {
	f.Add("up{job=\"", "orders", "\"}")
	f.Add("", `","address":"http://evil`, "")
	f.Add("{{", "}}", "{{args.b}}")
	f.Add("a", "\n\t\\\"", "\u2028")
	f.Fuzz(func(t *testing.T, before, value, after string) {
		m := metric(func(m *v1alpha1.Metric) { m.Provider.Prometheus.Query = before + "{{args.a}}" + after })
		got, err := fill(m, []v1alpha1.Argument{arg("a", value)})
		if err != nil || strings.Contains(before+after, "{") || !utf8.ValidString(before) || !utf8.ValidString(after) {
			return
		}
		want := metric(func(m *v1alpha1.Metric) { m.Provider.Prometheus.Query = before + value + after })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
