package analysis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"slipway/internal/fault"
)

func named(name string, metrics ...string) Template {
	t := Template{Name: name}
	for _, m := range metrics {
		t.Spec.Metrics = append(t.Spec.Metrics, metric(func(x *v1alpha1.Metric) { x.Name = m }))
	}
	return t
}

func TestSeveralTemplatesBecomeOne(t *testing.T) {
	a, b := named("a", "one", "two"), named("b", "three")
	a.Spec.Args, b.Spec.Args = []v1alpha1.Argument{arg("x", "1"), {Name: "y"}}, []v1alpha1.Argument{arg("x", "1"), arg("y", "2"), {Name: "z"}}
	a.Spec.DryRun, b.Spec.MeasurementRetention = []v1alpha1.DryRun{{MetricName: "one"}}, []v1alpha1.MeasurementRetention{{MetricName: "three", Limit: 2}}
	b.Evidence = map[string]Evidence{"three": {NoData: NoDataFail}}
	spec, evidence, wrong := merge([]Template{a, b})
	if len(wrong) > 0 || len(spec.Metrics) != 3 || spec.Metrics[2].Name != "three" || len(spec.Args) != 3 || *spec.Args[1].Value != "2" ||
		len(spec.DryRun) != 1 || len(spec.MeasurementRetention) != 1 || evidence["three"].NoData != NoDataFail {
		t.Errorf("%+v %v %v", spec, evidence, wrong)
	}
	b.Spec.Args[0] = arg("x", "2")
	b.Spec.Metrics[0].Name = "one"
	_, _, wrong = merge([]Template{a, b})
	if s := strings.Join(wrong, "\n"); !strings.Contains(s, `AnalysisTemplate b: metric "one" is in AnalysisTemplate a too`) ||
		!strings.Contains(s, `AnalysisTemplate b: argument "x" has another value in another template: "1" and "2"`) {
		t.Error(s)
	}
}

// shelf is templates by what String calls them.
type shelf map[string]Template

func (s shelf) Template(_ context.Context, name string, cluster bool) (Template, error) {
	id := Template{Name: name, Cluster: cluster}.String()
	t, ok := s[id]
	if !ok {
		return Template{}, fault.Wrap(fault.NotFound, errors.New("not found"))
	}
	return t, nil
}

func (s shelf) put(cluster bool, name string, refs ...v1alpha1.AnalysisTemplateRef) {
	t := named(name, "m-"+name)
	t.Cluster, t.Spec.Templates = cluster, refs
	s[t.String()] = t
}

func ref(name string, cluster bool) v1alpha1.AnalysisTemplateRef {
	return v1alpha1.AnalysisTemplateRef{TemplateName: name, ClusterScope: &cluster}
}

func TestTemplatesThatTemplatesNameAreReadOnce(t *testing.T) {
	s := shelf{}
	s.put(false, "a", ref("b", false), ref("c", true))
	s.put(false, "b", ref("a", false)) // a circle
	s.put(true, "c", ref("d", false))
	s.put(false, "d")
	s.put(true, "d")
	got, err := Collect(t.Context(), s, []v1alpha1.AnalysisTemplateRef{ref("d", true), ref("a", false), {TemplateName: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range got {
		names = append(names, strings.Replace(x.String(), "AnalysisTemplate ", "", 1))
	}
	if s := strings.Join(names, " "); s != "a b d Clusterd Clusterc" {
		t.Error(s)
	}
}

func TestATemplateThatIsMissingIsNamed(t *testing.T) {
	s := shelf{}
	s.put(false, "a", ref("b", true))
	_, err := Collect(t.Context(), s, []v1alpha1.AnalysisTemplateRef{ref("a", false)})
	if !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "read ClusterAnalysisTemplate b: ") {
		t.Error(err)
	}
	for i := range 200 {
		s.put(false, fmt.Sprint(i), ref(fmt.Sprint(i+1), false))
	}
	if _, err := Collect(t.Context(), s, []v1alpha1.AnalysisTemplateRef{ref("0", false)}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
