package analysis

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// anyRun is a run of random metrics, all of which end by themselves.
func anyRun(r *rand.Rand) *v1alpha1.AnalysisRun {
	limit := func(n int) *intstr.IntOrString {
		if r.IntN(2) == 0 {
			return nil
		}
		return num(r.IntN(n))
	}
	run := runOf()
	for i := range 1 + r.IntN(4) {
		m := metric()
		m.Name = fmt.Sprint("m", i)
		m.FailureLimit, m.InconclusiveLimit, m.ConsecutiveErrorLimit, m.ConsecutiveSuccessLimit = limit(4), limit(4), limit(6), limit(4)
		if r.IntN(4) == 0 && m.ConsecutiveSuccessLimit != nil && m.ConsecutiveSuccessLimit.IntVal > 0 {
			m.FailureLimit = num(-1)
		}
		if r.IntN(3) > 0 {
			m.Interval = v1alpha1.DurationString(time.Duration(1 + r.Int64N(int64(time.Hour))).String())
			l, _ := limitsOf(m)
			m.Count = num(l.impliedCount() + r.IntN(5))
		} else if l, _ := limitsOf(m); l.impliedCount() > 1 {
			m.FailureLimit, m.InconclusiveLimit, m.ConsecutiveSuccessLimit = nil, nil, nil
		}
		if r.IntN(3) == 0 {
			m.InitialDelay = v1alpha1.DurationString(time.Duration(r.Int64N(int64(time.Hour))).String())
		}
		run.Spec.Metrics = append(run.Spec.Metrics, m)
	}
	if r.IntN(3) == 0 {
		dry(run, run.Spec.Metrics[0].Name)
	}
	if r.IntN(3) == 0 {
		warm(run, `{"m0":{"warmUp":"5m"}}`)
	}
	return run
}

func TestARunAlwaysEndsAndItsPhasesNeverGoBack(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 0))
			run, now := anyRun(r), begin
			ended := map[string]v1alpha1.AnalysisPhase{}
			for step := 0; ; step++ {
				if step > 2000 {
					t.Fatal("does not end")
				}
				if r.IntN(200) == 0 {
					run.Spec.Terminate = true
				}
				if r.IntN(20) == 0 && step < 100 {
					WeightChanged(run, now)
				}
				before := run.Status.Phase
				plan := Next(run, now)
				monotone(t, run, ended)
				if before.Completed() && before != plan.Phase {
					t.Fatalf("%s became %s", before, plan.Phase)
				}
				if plan.Phase.Completed() {
					finished(t, run)
					return
				}
				if len(plan.Due) == 0 {
					if !plan.At.After(now) {
						t.Fatalf("nothing to do at %s, and comes back at %s", now, plan.At)
					}
					now = plan.At
					continue
				}
				now = now.Add(time.Duration(r.IntN(2000)) * time.Millisecond)
				var all []Taken
				for _, name := range plan.Due {
					all = append(all, taken(name, rune("SSSSFIEE"[r.IntN(8)]), now))
				}
				if err := Record(run, all...); err != nil {
					t.Fatal(err)
				}
				monotone(t, run, ended)
			}
		})
	}
}

// monotone checks that no metric's end is taken back.
func monotone(t *testing.T, run *v1alpha1.AnalysisRun, ended map[string]v1alpha1.AnalysisPhase) {
	t.Helper()
	for _, r := range run.Status.MetricResults {
		if before, ok := ended[r.Name]; ok && r.Phase != before {
			t.Fatalf("%s: %s became %s", r.Name, before, r.Phase)
		}
		if r.Phase.Completed() {
			ended[r.Name] = r.Phase
		}
		if r.Count != r.Successful+r.Failed+r.Inconclusive {
			t.Fatalf("%s: %d are not %d + %d + %d", r.Name, r.Count, r.Successful, r.Failed, r.Inconclusive)
		}
		if len(r.Measurements) > keep {
			t.Fatalf("%s: %d measurements are kept", r.Name, len(r.Measurements))
		}
	}
}

// finished checks a completed run: every metric that was measured has ended, and the run is as bad as the worst.
func finished(t *testing.T, run *v1alpha1.AnalysisRun) {
	t.Helper()
	worst := v1alpha1.AnalysisPhaseSuccessful
	for _, r := range run.Status.MetricResults {
		if !r.Phase.Completed() {
			t.Fatalf("the run is %s, and %s is %s", run.Status.Phase, r.Name, r.Phase)
		}
		if !r.DryRun && order[r.Phase] > order[worst] {
			worst = r.Phase
		}
	}
	if run.Status.Phase != worst || run.Status.CompletedAt == nil || run.Status.StartedAt == nil {
		t.Fatalf("%s at %v, and the worst metric is %s", run.Status.Phase, run.Status.CompletedAt, worst)
	}
	if (worst != v1alpha1.AnalysisPhaseSuccessful) && run.Status.Message == "" {
		t.Fatalf("%s without a word", worst)
	}
}
