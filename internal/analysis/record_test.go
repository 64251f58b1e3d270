package analysis

import (
	"strings"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAStatusIsWrittenAsArgoWritesIt(t *testing.T) {
	run := two(metric(times(5), failureLimit(1)), metric(times(3), inconclusiveLimit(1)))
	run.Spec.Metrics[1].InitialDelay = "90s"
	dry(run, "b")
	play(t, run, map[string]string{"a": "SEFSF", "b": "SII"})
	golden(t, "status-failed.yaml", run.Status)
}

func TestTheLastTenMeasurementsAreKept(t *testing.T) {
	for limit, want := range map[int32]int{0: 10, 3: 3, 20: 15, -1: 10} {
		run := runOf(metric(every("1m")))
		run.Spec.MeasurementRetention = []v1alpha1.MeasurementRetention{{MetricName: ".*", Limit: limit}}
		play(t, run, map[string]string{"rate": strings.Repeat("S", 15)})
		r := run.Status.MetricResults[0]
		if len(r.Measurements) != want || r.Count != 15 || r.Successful != 15 {
			t.Errorf("limit %d: %d kept, %d counted", limit, len(r.Measurements), r.Count)
		}
		if last := r.Measurements[len(r.Measurements)-1].FinishedAt.Time; !last.Equal(begin.Add(14 * time.Minute)) {
			t.Errorf("limit %d: the last is of %s", limit, last)
		}
	}
}

func TestMeasurementsThatDoNotFitAreRefused(t *testing.T) {
	unfinished := taken("rate", 'S', begin)
	unfinished.Measurement.FinishedAt = nil
	pending := taken("rate", 'S', begin)
	pending.Measurement.Phase = running
	for name, tk := range map[string]Taken{"of another metric": taken("other", 'S', begin), "unfinished": unfinished, "still running": pending} {
		run := runOf(metric(every("1m")))
		Next(run, begin)
		if err := Record(run, tk); err == nil || len(run.Status.MetricResults) > 0 {
			t.Errorf("%s: %v %v", name, err, run.Status.MetricResults)
		}
	}
}

func TestAMeasurementThatAnotherControllerLeftHalfDoneIsTakenAgain(t *testing.T) {
	run := runOf(metric(every("1m")))
	Next(run, begin)
	half := metav1.NewTime(begin)
	run.Status.MetricResults = []v1alpha1.MetricResult{{Name: "rate", Phase: running, Measurements: []v1alpha1.Measurement{{Phase: running, StartedAt: &half}}}}
	if plan := Next(run, begin.Add(time.Second)); len(plan.Due) != 1 {
		t.Fatalf("%+v", plan)
	}
	if err := Record(run, taken("rate", 'S', begin.Add(time.Second))); err != nil {
		t.Fatal(err)
	}
	if r := run.Status.MetricResults[0]; len(r.Measurements) != 1 || r.Count != 1 {
		t.Errorf("%+v", r)
	}
}
