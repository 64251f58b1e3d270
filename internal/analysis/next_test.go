package analysis

import (
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/google/go-cmp/cmp"
)

// after is where a run stands once letters were measured: what is due, and in how long.
func after(t *testing.T, run *v1alpha1.AnalysisRun, letters string) (Plan, time.Duration) {
	t.Helper()
	now := play(t, run, map[string]string{run.Spec.Metrics[0].Name: letters})
	last := now
	if r := result(run, run.Spec.Metrics[0].Name); r != nil {
		last = r.Measurements[len(r.Measurements)-1].FinishedAt.Time
	}
	plan := Next(run, last)
	return plan, plan.At.Sub(last)
}

func TestTheNextMeasurementIsAnIntervalAfterTheLast(t *testing.T) {
	for _, tc := range []struct {
		name    string
		metric  v1alpha1.Metric
		letters string
		want    time.Duration
	}{
		{"after a success", metric(every("1m")), "S", time.Minute},
		{"after a failure", metric(every("1m"), failureLimit(5)), "SF", time.Minute},
		{"after an inconclusive one", metric(every("1m"), inconclusiveLimit(5)), "I", time.Minute},
		{"after an error, always 10 s", metric(every("1h")), "SE", 10 * time.Second},
		{"after an error, also when the interval is shorter", metric(every("1s")), "E", 10 * time.Second},
		{"after an error without an interval", metric(), "E", 10 * time.Second},
		{"the delay at the start is not added again", metric(every("1m"), func(m *v1alpha1.Metric) { m.InitialDelay = "1h" }), "S", time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if plan, wait := after(t, runOf(tc.metric), tc.letters); wait != tc.want || len(plan.Due) > 0 || plan.Phase != running {
				t.Errorf("%+v, in %s", plan, wait)
			}
		})
	}
}

func TestTheFirstMeasurementIsAtOnceOrAfterItsDelay(t *testing.T) {
	run := two(metric(), metric(func(m *v1alpha1.Metric) { m.InitialDelay = "5m" }))
	plan := Next(run, begin)
	if len(plan.Due) != 1 || plan.Due[0] != "a" || !plan.At.IsZero() || plan.Phase != running || !run.Status.StartedAt.Time.Equal(begin) {
		t.Fatalf("%+v", plan)
	}
	if err := Record(run, taken("a", 'S', begin)); err != nil {
		t.Fatal(err)
	}
	later := begin.Add(time.Minute)
	if plan = Next(run, later); len(plan.Due) > 0 || !plan.At.Equal(begin.Add(5*time.Minute)) {
		t.Errorf("%+v", plan)
	}
	if plan = Next(run, begin.Add(5*time.Minute)); len(plan.Due) != 1 || plan.Due[0] != "b" {
		t.Errorf("%+v", plan)
	}
}

func TestARunAsksForTheEarliestOfItsMetrics(t *testing.T) {
	run := two(metric(every("3m")), metric(every("2m")))
	Next(run, begin)
	if err := Record(run, taken("a", 'S', begin), taken("b", 'S', begin.Add(30*time.Second))); err != nil {
		t.Fatal(err)
	}
	if plan := Next(run, begin.Add(time.Minute)); !plan.At.Equal(begin.Add(150 * time.Second)) {
		t.Errorf("%+v", plan)
	}
	if plan := Next(run, begin.Add(time.Hour)); len(plan.Due) != 2 {
		t.Errorf("overdue: %+v", plan)
	}
}

func warm(run *v1alpha1.AnalysisRun, note string) *v1alpha1.AnalysisRun {
	run.Annotations = map[string]string{EvidenceNote: note}
	return run
}

func TestNothingIsMeasuredBeforeTheWarmUpAfterAWeightChange(t *testing.T) {
	run := warm(runOf(metric(every("1m"))), `{"rate":{"warmUp":"5m"}}`)
	if plan := Next(run, begin); len(plan.Due) != 1 {
		t.Fatalf("no change is known yet: %+v", plan)
	}
	WeightChanged(run, begin)
	if plan := Next(run, begin.Add(time.Minute)); len(plan.Due) > 0 || !plan.At.Equal(begin.Add(5*time.Minute)) {
		t.Errorf("the first: %+v", plan)
	}
	at := begin.Add(5 * time.Minute)
	if plan := Next(run, at); len(plan.Due) != 1 {
		t.Errorf("warm: %+v", plan)
	}
	if err := Record(run, taken("rate", 'S', at)); err != nil {
		t.Fatal(err)
	}
	if plan := Next(run, at); !plan.At.Equal(at.Add(time.Minute)) {
		t.Errorf("the interval goes on: %+v", plan)
	}
	WeightChanged(run, at.Add(30*time.Second))
	if plan := Next(run, at.Add(time.Minute)); len(plan.Due) > 0 || !plan.At.Equal(at.Add(330*time.Second)) {
		t.Errorf("the second change: %+v", plan)
	}
}

func TestARunThatNobodyCanMeasureIsAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		run  *v1alpha1.AnalysisRun
		want string
	}{
		"no metrics":              {runOf(), "Analysis spec invalid: no metrics specified"},
		"metrics of one name":     {runOf(metric(), metric()), `Analysis spec invalid: metrics[1].name: "rate" is there twice`},
		"another provider":        {runOf(metric(func(m *v1alpha1.Metric) { m.Provider = v1alpha1.MetricProvider{Web: &v1alpha1.WebMetric{}} })), "Analysis spec invalid: metrics[0].provider.web: not supported yet"},
		"a count and no interval": {runOf(metric(func(m *v1alpha1.Metric) { m.Count = num(2) })), "Analysis spec invalid: metrics[0].interval: missing, and count is 2"},
		"an unknown argument":     {runOf(metric(func(m *v1alpha1.Metric) { m.SuccessCondition = "result > {{args.x}}" })), "Unable to resolve metric arguments: metric rate: nothing to fill in for {{args.x}}"},
		"a rule for nothing":      {dry(runOf(metric()), "x"), "Analysis spec invalid: dryRun[0]: Rule didn't match any metric name(s)"},
		"a wildcard":              {dry(runOf(metric()), "*"), `Analysis spec invalid: dryRun[0]: "*" is not a regular expression`},
		"an annotation":           {warm(runOf(metric()), "rate: {noData: x}"), "Analysis spec invalid: annotation slipway.dev/analysis: rate: noData"},
		"a time": {func() *v1alpha1.AnalysisRun {
			run := warm(runOf(metric()), `{"rate":{"warmUp":"5m"}}`)
			run.Annotations[WeightNote] = "soon"
			return run
		}(), `annotation slipway.dev/weight-changed-at: "soon" is not a time`},
	} {
		t.Run(name, func(t *testing.T) {
			plan := Next(tc.run, begin)
			s := tc.run.Status
			if plan.Phase != errs || s.Phase != errs || !strings.Contains(s.Message, tc.want) || s.CompletedAt == nil || len(plan.Due) > 0 {
				t.Errorf("%+v %s %q", plan, s.Phase, s.Message)
			}
		})
	}
}

func TestACompletedRunStaysAsItIs(t *testing.T) {
	run := runOf(metric())
	play(t, run, map[string]string{"rate": "F"})
	before := run.DeepCopy()
	if plan := Next(run, begin.Add(time.Hour)); plan.Phase != fails || len(plan.Due) > 0 || !plan.At.IsZero() {
		t.Errorf("%+v", plan)
	}
	if err := Record(run, taken("rate", 'S', begin)); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, run); diff != "" {
		t.Error(diff)
	}
}
