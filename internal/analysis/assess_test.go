package analysis

import (
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

type change = func(*v1alpha1.Metric)

func every(d string) change {
	return func(m *v1alpha1.Metric) { m.Interval = v1alpha1.DurationString(d) }
}
func times(n int) change { return func(m *v1alpha1.Metric) { m.Count = num(n); m.Interval = "1m" } }
func failureLimit(n int) change {
	return func(m *v1alpha1.Metric) { m.FailureLimit = num(n) }
}
func inconclusiveLimit(n int) change {
	return func(m *v1alpha1.Metric) { m.InconclusiveLimit = num(n) }
}
func limitErrors(n int) change {
	return func(m *v1alpha1.Metric) { m.ConsecutiveErrorLimit = num(n) }
}
func inARow(n int) change {
	return func(m *v1alpha1.Metric) { m.ConsecutiveSuccessLimit = num(n) }
}

const running = v1alpha1.AnalysisPhaseRunning

func TestOneMetricEndsByItsCountAndLimits(t *testing.T) {
	for _, tc := range []struct {
		name    string
		metric  v1alpha1.Metric
		letters string // what is measured; what is left over after the end is a fault
		want    v1alpha1.AnalysisPhase
		message string
	}{
		// neither count nor interval: one measurement
		{"one, good", metric(), "S", passes, ""},
		{"one, bad", metric(), "F", fails, `Metric "rate" assessed Failed due to failed (1) > failureLimit (0)`},
		{"one, inconclusive", metric(), "I", inconclusive, `Metric "rate" assessed Inconclusive due to inconclusive (1) > inconclusiveLimit (0)`},
		{"one, an error is tried again", metric(), "ES", passes, ""},
		{"one, four errors are forgiven", metric(), "EEEES", passes, ""},
		{"one, five errors are not", metric(), "EEEEE", errs,
			`Metric "rate" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4): "Error Message: connection refused"`},
		{"one, a failure is forgiven", metric(failureLimit(1), times(1)), "F", passes, ""},
		// count
		{"three, all good", metric(times(3)), "SSS", passes, ""},
		{"three, still at it", metric(times(3)), "SS", running, ""},
		{"three, the first bad", metric(times(3)), "F", fails, "failed (1) > failureLimit (0)"},
		{"three, the last bad", metric(times(3)), "SSF", fails, "failed (1) > failureLimit (0)"},
		{"a count of 0 is none", metric(func(m *v1alpha1.Metric) { m.Count = num(0) }), "S", passes, ""},
		{"a count as text", metric(every("1m"), func(m *v1alpha1.Metric) { m.Count = numText("2") }), "SS", passes, ""},
		// no count: for ever
		{"for ever, good", metric(every("1m")), strings.Repeat("S", 50), running, ""},
		{"for ever, bad at last", metric(every("1m")), "SSSSSF", fails, "failed (1) > failureLimit (0)"},
		// failureLimit: strictly greater
		{"as many failures as are allowed", metric(times(5), failureLimit(2)), "FFSSS", passes, ""},
		{"one more", metric(times(5), failureLimit(2)), "FSFSF", fails, "failed (3) > failureLimit (2)"},
		{"failures need not be in a row", metric(every("1m"), failureLimit(1)), "FSSSSSF", fails, "failed (2) > failureLimit (1)"},
		{"the tutorial's, three of seven", metric(times(7), failureLimit(3)), "FFFSSSS", passes, ""},
		{"the tutorial's, four of seven", metric(times(7), failureLimit(3)), "SSSFFFF", fails, "failed (4) > failureLimit (3)"},
		// errors are not counted
		{"errors between", metric(times(2)), "ESEES", passes, ""},
		{"errors do not make the count", metric(times(2)), "SEEEE", running, ""},
		{"errors after each success start anew", metric(times(4)), "EEEESEEEESEEEESEEEES", passes, ""},
		{"a failure ends a row of errors too", metric(times(3), failureLimit(1)), "EEEEFEEEESS", passes, ""},
		{"an inconclusive one too", metric(times(3), inconclusiveLimit(1)), "EEEEIEEEESS", passes, ""},
		{"no error is allowed", metric(limitErrors(0)), "E", errs, "consecutiveErrors (1) > consecutiveErrorLimit (0)"},
		{"many are", metric(limitErrors(9)), "EEEEEEEEES", passes, ""},
		// inconclusiveLimit
		{"as many inconclusive as are allowed", metric(times(3), inconclusiveLimit(2)), "IIS", passes, ""},
		{"one more inconclusive", metric(times(3), inconclusiveLimit(2)), "III", inconclusive, "inconclusive (3) > inconclusiveLimit (2)"},
		{"inconclusive ones make the count", metric(times(2), inconclusiveLimit(2)), "II", passes, ""},
		// consecutiveSuccessLimit
		{"two in a row", metric(every("1m"), inARow(2), failureLimit(-1)), "FSFSS", passes, ""},
		{"never two in a row", metric(every("1m"), inARow(2), failureLimit(-1)), "FSFSFSFS", running, ""},
		{"an error breaks the row", metric(every("1m"), inARow(2), failureLimit(-1)), "SESS", passes, ""},
		{"an inconclusive one breaks the row", metric(every("1m"), inARow(2), failureLimit(-1), inconclusiveLimit(5)), "SISS", passes, ""},
		{"in a row before the count", metric(times(9), inARow(3)), "SSS", passes, ""},
		{"the count ends first, failures off", metric(times(4), inARow(3), failureLimit(-1)), "SFSS", fails, "consecutiveSuccess (2) < consecutiveSuccessLimit (3)"},
		{"the count ends first, failures on", metric(times(5), inARow(3), failureLimit(2)), "SFSFS", inconclusive, "consecutiveSuccess (1) < consecutiveSuccessLimit (3)"},
		{"too many failures before the row", metric(every("1m"), inARow(3), failureLimit(1)), "SFSF", fails, "failed (2) > failureLimit (1)"},
		{"in a row by the last", metric(times(3), inARow(1), failureLimit(-1)), "FFS", passes, ""},
		{"no success at all, failures off", metric(times(3), inARow(1), failureLimit(-1)), "FFF", fails, "consecutiveSuccess (0)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := runOf(tc.metric)
			letters := map[string]string{"rate": tc.letters}
			play(t, run, letters)
			if run.Status.Phase != tc.want || !strings.Contains(run.Status.Message, tc.message) || tc.message == "" && run.Status.Message != "" {
				t.Errorf("%s %q, want %s %q", run.Status.Phase, run.Status.Message, tc.want, tc.message)
			}
			if letters["rate"] != "" {
				t.Errorf("%s was not measured any more", letters["rate"])
			}
			if done := run.Status.CompletedAt != nil; done != tc.want.Completed() {
				t.Errorf("completed at %v", run.Status.CompletedAt)
			}
		})
	}
}

func TestOfSeveralLimitsErrorBeatsInconclusiveBeatsFailed(t *testing.T) {
	r := v1alpha1.MetricResult{Failed: 1, Inconclusive: 1, ConsecutiveError: 5}
	l := limits{consecutiveError: 4}
	if phase, _ := exceeded(l, r); phase != errs {
		t.Errorf("all: %s", phase)
	}
	r.ConsecutiveError = 4
	if phase, _ := exceeded(l, r); phase != inconclusive {
		t.Errorf("failed and inconclusive: %s", phase)
	}
	r.Inconclusive = 0
	if phase, _ := exceeded(l, r); phase != fails {
		t.Errorf("failed: %s", phase)
	}
	l.failure = -1
	if phase, _ := exceeded(l, r); phase != "" {
		t.Errorf("failures off: %s", phase)
	}
}

func two(a, b v1alpha1.Metric) *v1alpha1.AnalysisRun {
	a.Name, b.Name = "a", "b"
	return runOf(a, b)
}

func TestTheRunIsAsBadAsItsWorstMetric(t *testing.T) {
	for _, tc := range []struct {
		name    string
		run     *v1alpha1.AnalysisRun
		a, b    string
		want    v1alpha1.AnalysisPhase
		other   v1alpha1.AnalysisPhase // of b
		message string
	}{
		{"both good", two(metric(), metric()), "S", "S", passes, passes, ""},
		{"one bad", two(metric(), metric()), "S", "F", fails, fails, `Metric "b" assessed Failed`},
		{"error and failed, together", two(metric(limitErrors(0)), metric()), "E", "F", fails, fails, `Metric "b" assessed Failed`},
		{"error and inconclusive, together", two(metric(limitErrors(0)), metric()), "E", "I", errs, inconclusive, `Metric "a" assessed Error`},
		{"inconclusive and failed, together", two(metric(), metric()), "I", "F", fails, fails, `Metric "b" assessed Failed`},
		{"the first of two bad ones is named", two(metric(), metric()), "F", "F", fails, fails, `Metric "a" assessed Failed`},
		{"the other is stopped, well so far", two(metric(), metric(times(9))), "F", "S", fails, passes, `Metric "a" assessed Failed`},
		{"the other is stopped, with a failure that is forgiven", two(metric(), metric(times(9), failureLimit(3))), "F", "F", fails, passes, `Metric "a" assessed Failed`},
		{"the other is stopped later", two(metric(times(3)), metric(every("20s"))), "SSF", "SSSSSSS", fails, passes, `Metric "a" assessed Failed`},
		{"the other has not begun", two(metric(), metric(func(m *v1alpha1.Metric) { m.InitialDelay = "1h" })), "F", "", fails, "", `Metric "a" assessed Failed`},
		{"the other goes on", two(metric(), metric(times(3))), "S", "SS", running, running, ""},
		{"inconclusive stops the other", two(metric(), metric(times(9))), "I", "S", inconclusive, passes, `Metric "a" assessed Inconclusive`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			play(t, tc.run, map[string]string{"a": tc.a, "b": tc.b})
			if tc.run.Status.Phase != tc.want || !strings.Contains(tc.run.Status.Message, tc.message) {
				t.Errorf("%s %q", tc.run.Status.Phase, tc.run.Status.Message)
			}
			var other v1alpha1.AnalysisPhase
			if r := result(tc.run, "b"); r != nil {
				other = r.Phase
			}
			if other != tc.other {
				t.Errorf("b is %s, want %s", other, tc.other)
			}
		})
	}
}

func dry(run *v1alpha1.AnalysisRun, rules ...string) *v1alpha1.AnalysisRun {
	for _, r := range rules {
		run.Spec.DryRun = append(run.Spec.DryRun, v1alpha1.DryRun{MetricName: r})
	}
	return run
}

func TestADryMetricDecidesNothing(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  *v1alpha1.AnalysisRun
		a, b string
		want v1alpha1.AnalysisPhase
		dry  v1alpha1.RunSummary
	}{
		{"fails", dry(two(metric(), metric()), "b"), "S", "F", passes, v1alpha1.RunSummary{Count: 1, Failed: 1}},
		{"fails, and the other too", dry(two(metric(), metric()), "b"), "F", "F", fails, v1alpha1.RunSummary{Count: 1, Failed: 1}},
		{"errors", dry(two(metric(times(2)), metric(limitErrors(0))), "b"), "SS", "E", passes, v1alpha1.RunSummary{Count: 1, Error: 1}},
		{"is waited for", dry(two(metric(), metric(times(3))), "b"), "S", "SS", running, v1alpha1.RunSummary{Count: 1}},
		{"all of them", dry(two(metric(), metric()), ".*"), "F", "I", passes, v1alpha1.RunSummary{Count: 2, Failed: 1, Inconclusive: 1}},
		{"by a pattern", dry(two(metric(), metric()), "^b$"), "S", "F", passes, v1alpha1.RunSummary{Count: 1, Failed: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			play(t, tc.run, map[string]string{"a": tc.a, "b": tc.b})
			if tc.run.Status.Phase != tc.want || *tc.run.Status.DryRunSummary != tc.dry {
				t.Errorf("%s %+v", tc.run.Status.Phase, *tc.run.Status.DryRunSummary)
			}
			if r := result(tc.run, "b"); !r.DryRun || r.Phase == fails && !strings.Contains(r.Message, "Metric assessed Failed due to failed (1) > failureLimit (0)") {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestATerminatedRunEndsWell(t *testing.T) {
	for _, tc := range []struct {
		name    string
		run     *v1alpha1.AnalysisRun
		a, b    string
		want    v1alpha1.AnalysisPhase
		message string
	}{
		{"before anything was measured", two(metric(), metric()), "", "", passes, "Run Terminated"},
		{"in the middle", two(metric(times(9)), metric(every("1m"))), "SS", "SS", passes, "Run Terminated"},
		{"with failures that are forgiven", two(metric(times(9), failureLimit(3)), metric(every("1m"))), "FS", "SS", passes, "Run Terminated"},
		{"with errors that are forgiven", two(metric(times(9)), metric(every("1m"))), "E", "E", passes, "Run Terminated"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			now := play(t, tc.run, map[string]string{"a": tc.a, "b": tc.b})
			if tc.run.Status.Phase != running {
				t.Fatal(tc.run.Status.Phase)
			}
			tc.run.Spec.Terminate = true
			plan := Next(tc.run, now.Add(time.Second))
			if plan.Phase != tc.want || len(plan.Due) > 0 || !plan.At.IsZero() || tc.run.Status.Message != tc.message || tc.run.Status.CompletedAt == nil {
				t.Errorf("%+v %q", plan, tc.run.Status.Message)
			}
		})
	}
}

func TestWhatIsMeasuredWhileARunIsTerminatedStillCounts(t *testing.T) {
	run := runOf(metric(times(3)))
	Next(run, begin)
	run.Spec.Terminate = true
	if err := Record(run, taken("rate", 'F', begin)); err != nil {
		t.Fatal(err)
	}
	if run.Status.Phase != fails || !strings.Contains(run.Status.Message, "failed (1) > failureLimit (0)") {
		t.Errorf("%s %q", run.Status.Phase, run.Status.Message)
	}
}
