package analysis

import (
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
)

func TestTheTutorialsAnalysisBecomesARun(t *testing.T) {
	run, warnings, err := NewRun(Request{Subject: subject(), Occasion: Step, Index: 2, Templates: []Template{tutorial(t)}})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "run-tutorial.yaml", run)
	want := []string{
		"metric success-rate: has an interval and no count, and a step waits for its end: it is measured 7 times (2 x failureLimit + 1)",
		"metric success-rate: looks back 5m: without a pause of that length it sees traffic from before the last change of the weight; warmUp in annotation slipway.dev/analysis waits",
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
}

func TestARunIsNamedAndLabelledByItsOccasion(t *testing.T) {
	for occasion, want := range map[Occasion]string{
		Step: "order-service-789f-2-0", Background: "order-service-789f-2", PrePromotion: "order-service-789f-2-pre", PostPromotion: "order-service-789f-2-post",
	} {
		run, _, err := NewRun(Request{Subject: subject(), Occasion: occasion, Templates: []Template{tutorial(t)}})
		if err != nil {
			t.Fatal(err)
		}
		_, index := run.Labels["step-index"]
		if run.Name != want || run.Labels["rollout-type"] != string(occasion) || index != (occasion == Step) {
			t.Errorf("%s: %s %v", occasion, run.Name, run.Labels)
		}
		if counted := run.Spec.Metrics[0].Count != nil; counted != (occasion != Background) {
			t.Errorf("%s: count %v", occasion, run.Spec.Metrics[0].Count)
		}
	}
	if got := Again("order-service-789f-2", 1); got != "order-service-789f-2.1" {
		t.Error(got)
	}
}

func TestARunHasAllThatTheRolloutSays(t *testing.T) {
	one := template(t, `
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: errors
  annotations:
    slipway.dev/analysis: |
      errors: {noData: fail, minSamples: 100, samplesQuery: "sum(increase(requests[{{args.window}}]))", warmUp: 5m}
spec:
  args:
  - {name: service}
  - {name: hash}
  - {name: window, value: 5m}
  - {name: token, valueFrom: {secretKeyRef: {name: prometheus, key: token}}}
  metrics:
  - name: errors
    interval: 30s
    count: "4"
    failureCondition: result[0] > 0.05
    provider:
      prometheus:
        address: http://prometheus.monitoring.svc:9090
        query: sum(rate(errors{job="{{args.service}}", hash="{{args.hash}}"}[5m]))
        headers: [{key: Authorization, value: "Bearer {{args.token}}"}]
`)
	two := template(t, `
apiVersion: argoproj.io/v1alpha1
kind: ClusterAnalysisTemplate
metadata: {name: up}
spec:
  dryRun: [{metricName: up}]
  metrics:
  - {name: up, provider: {prometheus: {address: "https://p.example.com", query: up, insecure: true}}}
`)
	latest := v1alpha1.Latest
	req := Request{Subject: subject(), Occasion: Background, Templates: []Template{one, two}}
	req.Analysis = v1alpha1.RolloutAnalysis{
		Args: []v1alpha1.AnalysisRunArgument{
			fieldArg("service", "metadata.name"), {Name: "hash", ValueFrom: &v1alpha1.ArgumentValueFrom{PodTemplateHashValue: &latest}}, {Name: "unused", Value: "x"},
		},
		MeasurementRetention: []v1alpha1.MeasurementRetention{{MetricName: "err.*", Limit: 20}},
		AnalysisRunMetadata:  &v1alpha1.AnalysisRunMetadata{Labels: map[string]string{"team": "checkout", "app": "other"}, Annotations: map[string]string{"note": "x"}},
	}
	run, warnings, err := NewRun(req)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "run-full.yaml", run)
	want := []string{
		"argument unused: no template asks for it",
		"metric up: has no condition: every answer passes",
		"metric up: insecure: whoever is between may decide what is measured",
	}
	if diff := cmp.Diff(want, warnings); diff != "" {
		t.Error(diff)
	}
}

func TestTheImpliedCountLetsEveryLimitBeReached(t *testing.T) {
	for _, tc := range []struct {
		name string
		m    v1alpha1.Metric
		want int
	}{
		{"nothing said", metric(), 1},
		{"the tutorial's", metric(func(m *v1alpha1.Metric) { m.FailureLimit = num(3) }), 7},
		{"from an argument", metric(func(m *v1alpha1.Metric) { m.FailureLimit = numText("{{args.n}}") }), 5},
		{"successes in a row", metric(func(m *v1alpha1.Metric) { m.ConsecutiveSuccessLimit = num(5) }), 5},
		{"both", metric(func(m *v1alpha1.Metric) { m.FailureLimit, m.ConsecutiveSuccessLimit = num(2), num(4) }), 6},
		{"no failures counted", metric(func(m *v1alpha1.Metric) { m.FailureLimit, m.ConsecutiveSuccessLimit = num(-1), num(3) }), 3},
		{"inconclusive ones", metric(func(m *v1alpha1.Metric) { m.InconclusiveLimit = num(9) }), 9},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.m.Interval = "1m"
			x := Template{Name: "x"}
			x.Spec.Metrics, x.Spec.Args = []v1alpha1.Metric{tc.m}, []v1alpha1.Argument{arg("n", "2")}
			run, _, err := NewRun(Request{Subject: subject(), Occasion: Step, Templates: []Template{x}})
			if err != nil || run.Spec.Metrics[0].Count.IntValue() != tc.want {
				t.Errorf("%v, want %d (%v)", run, tc.want, err)
			}
			if x.Spec.Metrics[0].Count != nil {
				t.Error("the template itself was changed")
			}
		})
	}
}

func TestARunThatCannotEndWellIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Request)
		want   string
	}{
		"no templates":                {func(r *Request) { r.Templates = nil }, "no metrics specified"},
		"an argument without a value": {func(r *Request) { r.Templates[0].Spec.Args = []v1alpha1.Argument{{Name: "a"}} }, "args.a: has no value"},
		"a field that is not there":   {func(r *Request) { r.Analysis.Args = []v1alpha1.AnalysisRunArgument{fieldArg("a", "spec.none")} }, "args[0].valueFrom"},
		"a rule for no metric":        {func(r *Request) { r.Analysis.DryRun = []v1alpha1.DryRun{{MetricName: "none"}} }, "dryRun[0]: Rule didn't match any metric name(s)"},
		"a rule that is there twice":  {func(r *Request) { r.Analysis.DryRun = []v1alpha1.DryRun{{MetricName: ".*"}, {MetricName: ".*"}} }, "spec.dryRun[1].metricName: \".*\" is there twice"},
		"metrics of one name":         {func(r *Request) { r.Templates = append(r.Templates, r.Templates[0]) }, "metric \"success-rate\" is in AnalysisTemplate success-rate too"},
		"a number from an argument": {func(r *Request) {
			r.Templates[0].Spec.Args = []v1alpha1.Argument{arg("n", "many")}
			r.Templates[0].Spec.Metrics[0].Count = numText("{{args.n}}")
		}, `metrics[0].count: "many" is not a whole number`},
		"an unknown argument": {func(r *Request) { r.Templates[0].Spec.Metrics[0].Provider.Prometheus.Query = "{{args.n}}" }, "Unable to resolve metric arguments: metric success-rate: nothing to fill in for {{args.n}}"},
	} {
		t.Run(name, func(t *testing.T) {
			req := Request{Subject: subject(), Occasion: Step, Templates: []Template{tutorial(t)}}
			tc.change(&req)
			run, _, err := NewRun(req)
			if run != nil || !fault.Is(err, fault.Invalid) || !strings.HasPrefix(err.Error(), "Rollout order-service: step analysis: ") || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
}
