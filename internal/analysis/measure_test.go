package analysis

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"slipway/internal/fault"
)

func measure(t *testing.T, run *v1alpha1.AnalysisRun, m Meter, due ...string) []Taken {
	t.Helper()
	out, err := m.Measure(t.Context(), run, due)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func query(q string) change { return func(m *v1alpha1.Metric) { m.Provider.Prometheus.Query = q } }

func TestAMeasurementHoldsWhatWasAskedAndAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := two(metric(query("up{{args.x}}")), metric(query("down")))
		run.Spec.Args = []v1alpha1.Argument{arg("x", "{}")}
		start := time.Now()
		got := measure(t, run, Meter{Prometheus: answers{"up{}": []float64{0.99}, "down": errors.New("connection refused")}}, "a", "b")
		a, b := got[0], got[1]
		if a.Metric != "a" || a.Measurement.Phase != passes || a.Measurement.Value != "[0.99]" || a.Metadata[queryNote] != "up{}" ||
			!a.Measurement.StartedAt.Time.Equal(start) || a.Measurement.FinishedAt == nil || a.Measurement.Message != "" {
			t.Errorf("%+v", a)
		}
		if b.Metric != "b" || b.Measurement.Phase != errs || b.Measurement.Message != "connection refused" || b.Measurement.Value != "" || b.Measurement.FinishedAt == nil {
			t.Errorf("%+v", b)
		}
	})
}

func TestTheTutorialsRunIsMeasuredToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run, _, err := NewRun(Request{Subject: subject(), Occasion: Step, Index: 2, Templates: []Template{tutorial(t)}})
		if err != nil {
			t.Fatal(err)
		}
		q := run.Spec.Metrics[0].Provider.Prometheus.Query
		rates := []any{[]float64{0.999}, []float64{nan}, []float64{}, []float64{0.98}, []float64{1}, []float64{0.97}, []float64{0.96}}
		for range 100 {
			plan := Next(run, time.Now())
			switch {
			case plan.Phase.Completed():
				golden(t, "tutorial-failed.yaml", run.Status)
				return
			case len(plan.Due) == 0:
				time.Sleep(time.Until(plan.At))
				continue
			}
			answer := rates[0]
			rates = rates[1:]
			if err := Record(run, measure(t, run, Meter{Prometheus: answers{q: answer}}, plan.Due...)...); err != nil {
				t.Fatal(err)
			}
		}
		t.Error("does not end")
	})
}

func TestWarningsAreKept(t *testing.T) {
	run := runOf(metric())
	got := measure(t, run, Meter{Prometheus: warns{}}, "rate")
	if m := got[0].Measurement.Metadata["warnings"]; m != `"one", "two"` {
		t.Errorf("%q", m)
	}
}

type warns struct{ Prometheus }

func (warns) Query(context.Context, v1alpha1.PrometheusMetric, time.Time) (any, []string, error) {
	return []float64{1}, []string{"one", "two"}, nil
}

func TestARangeIsAskedWithItsTimes(t *testing.T) {
	ranged := metric(query("up"), func(m *v1alpha1.Metric) {
		m.Provider.Prometheus.RangeQuery = &v1alpha1.PrometheusRangeQueryArgs{Start: `now() - duration("{{args.back}}")`, End: "now()", Step: "1m"}
		m.SuccessCondition = "all(result, # == 1)"
	})
	run := runOf(ranged)
	run.Spec.Args = []v1alpha1.Argument{arg("back", "1h")}
	if got := measure(t, run, Meter{Prometheus: answers{"up 1h0m0s 1m0s": []float64{1, 1}}}, "rate")[0].Measurement; got.Phase != passes || got.Value != "[1,1]" {
		t.Errorf("%+v", got)
	}
	for back, want := range map[string]string{"-1h": "ends before it starts", "x": `invalid duration "x"`} {
		run.Spec.Args = []v1alpha1.Argument{arg("back", back)}
		if got := measure(t, run, Meter{Prometheus: answers{}}, "rate")[0].Measurement; got.Phase != errs || !strings.Contains(got.Message, want) {
			t.Errorf("%s: %+v", back, got)
		}
	}
}

func TestSamplesAreCountedByTheirOwnQuery(t *testing.T) {
	run := warm(runOf(metric(query("rate"))), `{"rate":{"minSamples":100,"samplesQuery":"count({{args.x}})"}}`)
	run.Spec.Args = []v1alpha1.Argument{arg("x", "a")}
	for _, tc := range []struct {
		samples any
		want    v1alpha1.AnalysisPhase
		message string
	}{
		{[]float64{100}, passes, ""}, {[]float64{99}, inconclusive, "99 samples, fewer than minSamples (100)"}, {250.0, passes, ""},
		{[]float64{}, inconclusive, "0 samples"}, {[]float64{nan}, inconclusive, "NaN samples"},
		{[]float64{1, 2}, errs, "count samples: samplesQuery gave 2 values, not one"}, {errors.New("timeout"), errs, "count samples: timeout"},
	} {
		got := measure(t, run, Meter{Prometheus: answers{"rate": []float64{1}, "count(a)": tc.samples}}, "rate")[0].Measurement
		if got.Phase != tc.want || !strings.HasPrefix(got.Message, tc.message) {
			t.Errorf("%v: %+v", tc.samples, got)
		}
	}
	run.Annotations[EvidenceNote] = `{"rate":{"minSamples":2}}`
	for n, want := range map[int]v1alpha1.AnalysisPhase{1: inconclusive, 2: passes} {
		values := []float64{1, 1}[:n]
		if got := measure(t, run, Meter{Prometheus: answers{"rate": values}}, "rate")[0].Measurement; got.Phase != want {
			t.Errorf("%d values: %+v", n, got)
		}
	}
}

func secretRun() *v1alpha1.AnalysisRun {
	run := runOf(metric(query(`up{token="{{args.token}}"}`), func(m *v1alpha1.Metric) {
		m.Provider.Prometheus.Headers = []v1alpha1.WebMetricHeader{{Key: "Authorization", Value: "Bearer {{args.token}}"}}
		m.Count, m.Interval = num(9), "1m"
	}))
	run.Spec.Args = []v1alpha1.Argument{{Name: "token", ValueFrom: &v1alpha1.ValueFrom{SecretKeyRef: &v1alpha1.SecretKeyRef{Name: "s", Key: "k"}}}}
	return run
}

// leaky puts all that it gets into its answer.
type leaky struct {
	Prometheus
	fail bool
}

func (l leaky) Query(_ context.Context, m v1alpha1.PrometheusMetric, _ time.Time) (any, []string, error) {
	all := m.Query + " " + m.Headers[0].Value
	if l.fail {
		return nil, nil, fault.New(fault.Invalid, "bad query %q: %s", all, all)
	}
	return []float64{1}, []string{all}, nil
}

func TestASecretReachesTheProviderAndNothingElse(t *testing.T) {
	for _, token := range []string{"hunter2", "a\"b\\c\nd", "with space&amp=%", "ünïcode", "*****x*****"} {
		run := secretRun()
		for _, fail := range []bool{false, true, false} {
			Next(run, begin)
			got := measure(t, run, Meter{Prometheus: leaky{fail: fail}, Secrets: vault{"s/k": token}}, "rate")
			if (got[0].Measurement.Phase == errs) != fail {
				t.Fatalf("%q: %+v", token, got[0])
			}
			if err := Record(run, got...); err != nil {
				t.Fatal(err)
			}
		}
		text, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		quoted, err := json.Marshal(token)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), strings.Trim(string(quoted), `"`)) || !strings.Contains(string(text), "*****") {
			t.Errorf("%q is in %s", token, text)
		}
	}
}

func TestASecretThatIsPartOfAnotherLeavesNothing(t *testing.T) {
	if got := hide("x hunter2hunter y hunter z", []string{"hunter", "hunter2hunter", ""}); got != "x ***** y ***** z" {
		t.Error(got)
	}
}

func TestASecretThatCannotBeReadIsAnErrorOfTheMeasurement(t *testing.T) {
	got := measure(t, secretRun(), Meter{Prometheus: answers{}, Secrets: vault{}}, "rate")[0].Measurement
	if got.Phase != errs || got.Message != "read argument token: Secret production/s has no key k" {
		t.Errorf("%+v", got)
	}
}

func TestTheEndOfTheCallIsNoMeasurement(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	out, err := Meter{Prometheus: answers{"up": []float64{1}}}.Measure(ctx, runOf(metric()), []string{"rate"})
	if out != nil || !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v %v", out, err)
	}
}

func TestALongMessageIsCut(t *testing.T) {
	got := measure(t, runOf(metric()), Meter{Prometheus: answers{"up": errors.New(strings.Repeat("ü", 5000))}}, "rate")[0].Measurement
	if len(got.Message) > messageCap+3 || !strings.HasSuffix(got.Message, "...") {
		t.Errorf("%d: %.40s", len(got.Message), got.Message)
	}
}

func TestAMetricThatIsNotThereIsAnError(t *testing.T) {
	got := measure(t, runOf(metric()), Meter{Prometheus: answers{}}, "other")[0].Measurement
	if got.Phase != errs || got.Message != `run run has no metric "other"` {
		t.Errorf("%+v", got)
	}
}
