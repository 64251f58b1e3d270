package analysis

import (
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

func arg(name, value string) v1alpha1.Argument {
	return v1alpha1.Argument{Name: name, Value: &value}
}

func TestArgumentsAreFilledInAsArgoFillsThemIn(t *testing.T) {
	for name, tc := range map[string]struct {
		query string
		args  []v1alpha1.Argument
		want  string
		err   string
	}{
		"nothing to fill in":             {query: "up", want: "up"},
		"one":                            {query: `up{job="{{args.job}}"}`, args: []v1alpha1.Argument{arg("job", "orders")}, want: `up{job="orders"}`},
		"spaces around the name":         {query: "{{ args.job }} {{args.job}}", args: []v1alpha1.Argument{arg("job", "a")}, want: "a a"},
		"two beside each other":          {query: "{{args.a}}{{args.b}}", args: []v1alpha1.Argument{arg("a", "1"), arg("b", "2")}, want: "12"},
		"quotes, backslashes, new lines": {query: "{{args.a}}", args: []v1alpha1.Argument{arg("a", "\"\\\n\t")}, want: "\"\\\n\t"},
		"other letters":                  {query: "{{args.ä}}", args: []v1alpha1.Argument{arg("ä", "größe 😀 \u2028")}, want: "größe 😀 \u2028"},
		"an empty value":                 {query: "a{{args.a}}b", args: []v1alpha1.Argument{arg("a", "")}, want: "ab"},
		"a value is not filled in again": {query: "{{args.a}}", args: []v1alpha1.Argument{arg("a", "{{args.b}}"), arg("b", "x")}, want: "{{args.b}}"},
		"braces of PromQL":               {query: `up{job="{{args.a}}"} > {x="}}"}`, args: []v1alpha1.Argument{arg("a", "x")}, want: `up{job="x"} > {x="}}"}`},
		"a name with dots":               {query: "{{args.a.b}}", args: []v1alpha1.Argument{arg("a.b", "x")}, want: "x"},
		"not an argument":                {query: "{{a}}", args: []v1alpha1.Argument{arg("a", "x")}, err: "nothing to fill in for {{a}}"},
		"an unknown argument":            {query: "{{args.b}}", args: []v1alpha1.Argument{arg("a", "x")}, err: "nothing to fill in for {{args.b}}"},
		"of another case":                {query: "{{args.A}}", args: []v1alpha1.Argument{arg("a", "x")}, err: "{{args.A}}"},
		"an open end":                    {query: "{{args.a", args: []v1alpha1.Argument{arg("a", "x")}, err: "nothing to fill in"},
		"without a value, even unused":   {query: "up", args: []v1alpha1.Argument{{Name: "a"}}, err: `argument "a" has no value`},
		"a control character":            {query: "{{args.a}}", args: []v1alpha1.Argument{arg("a", "\x00")}, err: "does not fit"},
		"too large":                      {query: strings.Repeat("{{args.a}}", 20), args: []v1alpha1.Argument{arg("a", strings.Repeat("x", 1<<17))}, err: "larger than 1 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			m := metric(func(m *v1alpha1.Metric) { m.Provider.Prometheus.Query = tc.query })
			got, err := fill(m, tc.args)
			switch {
			case tc.err != "":
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("%v, want %s", err, tc.err)
				}
			case err != nil || got.Provider.Prometheus.Query != tc.want:
				t.Errorf("%q, %v", got.Provider.Prometheus.Query, err)
			}
		})
	}
}

func TestArgumentsAreFilledInEverywhere(t *testing.T) {
	m := metric(func(m *v1alpha1.Metric) {
		m.Interval, m.InitialDelay = "{{args.n}}s", "{{args.n}}m"
		count := numText("{{args.n}}")
		m.Count, m.FailureLimit = count, count
		m.SuccessCondition = "result > {{args.n}}"
		m.Provider.Prometheus.Address = "http://p:{{args.n}}"
		m.Provider.Prometheus.Headers = []v1alpha1.WebMetricHeader{{Key: "X-{{args.n}}", Value: "{{args.n}}"}}
	})
	got, err := fill(m, []v1alpha1.Argument{arg("n", "7")})
	if err != nil {
		t.Fatal(err)
	}
	l, wrong := limitsOf(got)
	p := got.Provider.Prometheus
	if got.Interval != "7s" || got.InitialDelay != "7m" || l.count != 7 || l.failure != 7 || len(wrong) > 0 ||
		got.SuccessCondition != "result > 7" || p.Address != "http://p:7" || p.Headers[0].Key != "X-7" || p.Headers[0].Value != "7" {
		t.Errorf("%+v %v", got, wrong)
	}
	if m.Interval != "{{args.n}}s" {
		t.Error("the metric itself was changed")
	}
}

func TestAValueCannotBecomeAnotherField(t *testing.T) {
	m := metric(func(m *v1alpha1.Metric) { m.Provider.Prometheus.Query = "{{args.a}}" })
	evil := `x","address":"http://evil","insecure":true,"query":"y`
	got, err := fill(m, []v1alpha1.Argument{arg("a", evil)})
	if err != nil || got.Provider.Prometheus.Query != evil || got.Provider.Prometheus.Address != m.Provider.Prometheus.Address || got.Provider.Prometheus.Insecure {
		t.Errorf("%+v, %v", got.Provider.Prometheus, err)
	}
}
