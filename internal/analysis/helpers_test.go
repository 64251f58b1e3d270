package analysis

import (
	"context"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

var update = flag.Bool("update", false, "write golden files")

// golden compares got, as YAML, with a file of testdata.
func golden(t *testing.T, name string, got any) {
	t.Helper()
	text, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// object is YAML as an object.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// template decodes a template, which must be right.
func template(t *testing.T, text string) Template {
	t.Helper()
	out, err := DecodeTemplate("test", object(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func tutorial(t *testing.T) Template {
	t.Helper()
	text, err := os.ReadFile("testdata/tutorial.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return template(t, string(text))
}

// rollout is the tutorial's, at its second revision.
func rollout() *v1alpha1.Rollout {
	return &v1alpha1.Rollout{
		ObjectMeta: metav1.ObjectMeta{
			Name: "order-service", Namespace: "production", UID: "4f7c",
			Labels:      map[string]string{"app.kubernetes.io/name": "orders", v1alpha1.LabelKeyControllerInstanceID: "slipway"},
			Annotations: map[string]string{"rollout.argoproj.io/revision": "2", "team": "checkout"},
		},
		Spec: v1alpha1.RolloutSpec{
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "order-service"}},
			Strategy: v1alpha1.RolloutStrategy{Canary: &v1alpha1.CanaryStrategy{CanaryService: "order-service-canary"}},
		},
	}
}

func subject() Subject { return Subject{Rollout: rollout(), Stable: "66b9", Latest: "789f"} }

func ptr[T any](v T) *T { return &v }

func num(n int) *intstr.IntOrString { return ptr(intstr.FromInt(n)) }

// metric is a metric that is right, changed.
func metric(change ...func(*v1alpha1.Metric)) v1alpha1.Metric {
	m := v1alpha1.Metric{
		Name: "rate", SuccessCondition: "result[0] >= 0.95",
		Provider: v1alpha1.MetricProvider{Prometheus: &v1alpha1.PrometheusMetric{Address: "http://prometheus:9090", Query: "up"}},
	}
	for _, c := range change {
		c(&m)
	}
	return m
}

func runOf(metrics ...v1alpha1.Metric) *v1alpha1.AnalysisRun {
	return &v1alpha1.AnalysisRun{
		ObjectMeta: metav1.ObjectMeta{Name: "run", Namespace: "production"},
		Spec:       v1alpha1.AnalysisRunSpec{Metrics: metrics},
	}
}

var begin = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// phases are measurements by their first letters: S, F, I, E.
var phases = map[rune]v1alpha1.AnalysisPhase{
	'S': v1alpha1.AnalysisPhaseSuccessful, 'F': v1alpha1.AnalysisPhaseFailed,
	'I': v1alpha1.AnalysisPhaseInconclusive, 'E': v1alpha1.AnalysisPhaseError,
}

func taken(name string, letter rune, at time.Time) Taken {
	when := metav1.NewTime(at)
	m := v1alpha1.Measurement{Phase: phases[letter], StartedAt: &when, FinishedAt: &when, Value: "[" + string(letter) + "]"}
	if letter == 'E' {
		m = v1alpha1.Measurement{Phase: phases[letter], StartedAt: &when, FinishedAt: &when, Message: "connection refused"}
	}
	return Taken{Metric: name, Measurement: m, Metadata: map[string]string{queryNote: "up"}}
}

// play drives a run by letters, one for each measurement of each metric in turn, until it is completed, has nothing due
// any more, or a metric's letters are used up. It gives the time of the last plan.
func play(t *testing.T, run *v1alpha1.AnalysisRun, letters map[string]string) time.Time {
	t.Helper()
	now := begin
	for range 1000 {
		plan := Next(run, now)
		if plan.Phase.Completed() {
			return now
		}
		if len(plan.Due) == 0 {
			if !plan.At.After(now) {
				t.Fatalf("comes back at %s, and it is %s", plan.At, now)
			}
			now = plan.At
			continue
		}
		var all []Taken
		for _, name := range plan.Due {
			if letters[name] == "" {
				return now
			}
			letter := rune(letters[name][0])
			letters[name] = letters[name][1:]
			all = append(all, taken(name, letter, now))
		}
		if err := Record(run, all...); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("goes on for ever")
	return now
}

// answers is a Prometheus of fixed answers, by query.
type answers map[string]any

func (a answers) Query(_ context.Context, m v1alpha1.PrometheusMetric, _ time.Time) (any, []string, error) {
	return a.answer(m.Query)
}

func (a answers) QueryRange(_ context.Context, m v1alpha1.PrometheusMetric, from, to time.Time, step time.Duration) (any, []string, error) {
	return a.answer(strings.Join([]string{m.Query, to.Sub(from).Round(time.Minute).String(), step.String()}, " "))
}

func (a answers) answer(query string) (any, []string, error) {
	switch v := a[query].(type) {
	case error:
		return nil, nil, v
	case nil:
		return nil, nil, fault.New(fault.Invalid, "no answer to %q", query)
	default:
		return v, nil, nil
	}
}

// vault is a cluster's Secrets, by "name/key".
type vault map[string]string

func (v vault) Secret(_ context.Context, namespace, name, key string) (secret.Value, error) {
	s, ok := v[name+"/"+key]
	if !ok {
		return secret.Value{}, fault.New(fault.NotFound, "Secret %s/%s has no key %s", namespace, name, key)
	}
	return secret.Of(s), nil
}

var nan, inf = math.NaN(), math.Inf(1)
