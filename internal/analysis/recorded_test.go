package analysis

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/google/go-cmp/cmp"
)

// recorded is one run of random metrics as the functions of argo-rollouts v1.9.1's controller took it (analysis.go:
// generateMetricTasks, assessRunStatus, calculateNextReconcileTime), with random measurements.
type recorded struct {
	Metrics    []v1alpha1.Metric // without provider and condition
	DryRun     string
	Steps      []string // "m0=S m1=E Running in 10s": what was measured, what came of it, when it comes back
	Message    string
	Summary    v1alpha1.RunSummary
	DrySummary v1alpha1.RunSummary
	Results    []string // "m0 Failed 1/1/0/0 message": successful, failed, inconclusive, error
}

func TestRunsGoAsTheyWentInArgo(t *testing.T) {
	f, err := os.Open("testdata/argo.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // only read
	lines := bufio.NewScanner(f)
	n := 0
	for ; lines.Scan(); n++ {
		var want recorded
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint(n), func(t *testing.T) { replay(t, want) })
	}
	if n < 100 || lines.Err() != nil {
		t.Errorf("%d runs, %v", n, lines.Err())
	}
}

func replay(t *testing.T, want recorded) {
	run := runOf()
	for _, m := range want.Metrics {
		m.Provider, m.SuccessCondition = metric().Provider, metric().SuccessCondition
		run.Spec.Metrics = append(run.Spec.Metrics, m)
	}
	if want.DryRun != "" {
		dry(run, want.DryRun)
	}
	now := begin
	for i, step := range want.Steps {
		var all []Taken
		for _, word := range strings.Fields(step) {
			if name, letter, ok := strings.Cut(word, "="); ok {
				all = append(all, taken(name, rune(letter[0]), now))
			}
		}
		var got strings.Builder
		for j, name := range Next(run, now).Due {
			if j >= len(all) || all[j].Metric != name {
				t.Fatalf("step %d: %s is due too; Argo: %s", i, name, step)
			}
			fmt.Fprintf(&got, "%s=%c ", name, all[j].Measurement.Phase[0])
		}
		if err := Record(run, all...); err != nil {
			t.Fatal(err)
		}
		plan := Next(run, now)
		got.WriteString(string(plan.Phase))
		if !plan.Phase.Completed() {
			fmt.Fprintf(&got, " in %s", plan.At.Sub(now).Round(time.Second))
			now = plan.At.Add(time.Nanosecond) // Argo measures after that time, we at it
		}
		if got.String() != step {
			t.Fatalf("step %d: %s; Argo: %s", i, got.String(), step)
		}
	}
	s := run.Status
	got := recorded{Metrics: want.Metrics, DryRun: want.DryRun, Steps: want.Steps, Message: s.Message, Summary: s.RunSummary, DrySummary: *s.DryRunSummary}
	for _, r := range s.MetricResults {
		got.Results = append(got.Results, fmt.Sprintf("%s %s %d/%d/%d/%d %s", r.Name, r.Phase, r.Successful, r.Failed, r.Inconclusive, r.Error, r.Message))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-Argo +ours)\n%s", diff)
	}
}
