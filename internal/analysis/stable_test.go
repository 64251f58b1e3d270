package analysis

import (
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

func TestTheStableVersionIsMeasuredOnceByTheSameMetrics(t *testing.T) {
	latest := v1alpha1.Latest
	x := tutorial(t)
	x.Spec.Args = []v1alpha1.Argument{{Name: "hash"}}
	x.Spec.Metrics[0].Provider.Prometheus.Query = "up{{args.hash}}"
	x.Spec.Metrics[0].ConsecutiveSuccessLimit, x.Spec.Metrics[0].InitialDelay = num(3), "1h"
	req := Request{Subject: subject(), Occasion: Step, Index: 2, Templates: []Template{x}}
	req.Analysis.Args = []v1alpha1.AnalysisRunArgument{{Name: "hash", ValueFrom: &v1alpha1.ArgumentValueFrom{PodTemplateHashValue: &latest}}}
	run, _, err := NewStableRun(req)
	if err != nil {
		t.Fatal(err)
	}
	if run.Name != "order-service-789f-2-2-stable" || *run.Spec.Args[0].Value != "66b9" || run.Labels[v1alpha1.DefaultRolloutUniqueLabelKey] != "66b9" {
		t.Errorf("%s %v %v", run.Name, *run.Spec.Args[0].Value, run.Labels)
	}
	for rate, want := range map[float64]v1alpha1.AnalysisPhase{0.999: passes, 0.9: fails} {
		run := run.DeepCopy()
		plan := Next(run, begin)
		if err := Record(run, measure(t, run, Meter{Prometheus: answers{"up66b9": []float64{rate}}}, plan.Due...)...); err != nil {
			t.Fatal(err)
		}
		if run.Status.Phase != want {
			t.Errorf("%v: %s %s", rate, run.Status.Phase, run.Status.Message)
		}
	}
	if x.Spec.Metrics[0].ConsecutiveSuccessLimit == nil {
		t.Error("the template itself was changed")
	}
	req.Analysis.Args = nil
	if run, _, err := NewStableRun(req); err == nil {
		t.Errorf("%+v", run)
	}
}
