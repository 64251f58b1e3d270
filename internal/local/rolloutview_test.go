package local

import (
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/record"
)

func owned(name, hash string) metav1.ObjectMeta {
	yes := true
	return metav1.ObjectMeta{
		Name: name, Labels: map[string]string{v1alpha1.DefaultRolloutUniqueLabelKey: hash},
		OwnerReferences: []metav1.OwnerReference{{Kind: "Rollout", Name: "web", UID: "1", Controller: &yes}},
	}
}

func replicaSet(hash, revision string, replicas, available int32) appsv1.ReplicaSet {
	rs := appsv1.ReplicaSet{ObjectMeta: owned("web-"+hash, hash)}
	rs.Annotations = map[string]string{"rollout.argoproj.io/revision": revision}
	rs.Spec.Replicas, rs.Status.AvailableReplicas = &replicas, available
	rs.Spec.Template.Spec.Containers = []corev1.Container{{Image: "web:" + hash}}
	return rs
}

// middle is a Rollout whose canary b takes the place of stable a, at a step.
func middle(step int32) *v1alpha1.Rollout {
	ten, thirty := int32(10), int32(30)
	ro := &v1alpha1.Rollout{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "1"}}
	ro.Spec.Strategy.Canary = &v1alpha1.CanaryStrategy{Steps: []v1alpha1.CanaryStep{{SetWeight: &ten}, {Pause: &v1alpha1.RolloutPause{}}, {SetWeight: &thirty}}}
	ro.Status = v1alpha1.RolloutStatus{Phase: "Paused", StableRS: "a", CurrentPodHash: "b", CurrentStepIndex: &step, AvailableReplicas: 6}
	return ro
}

func TestARolloutIsPutTogetherOfWhatIsKnown(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	run := v1alpha1.AnalysisRun{ObjectMeta: owned("web-b-2-1", "b")}
	run.Status = v1alpha1.AnalysisRunStatus{Phase: "Running", MetricResults: []v1alpha1.MetricResult{{
		Name: "rate", Phase: "Running", Successful: 1, Measurements: []v1alpha1.Measurement{{Value: "[0.9]"}, {Value: "[1]", FinishedAt: &at}},
	}}}
	old := v1alpha1.AnalysisRun{ObjectMeta: owned("web-a-1-1", "a")}
	other := replicaSet("x", "1", 3, 3)
	other.OwnerReferences[0].UID = "2"
	got := viewRollout(record.Rollout{Rollout: "c/shop/web", Stage: record.Running, Rejected: []string{"z"}}, middle(1),
		[]appsv1.ReplicaSet{replicaSet("a", "1", 5, 5), replicaSet("gone", "0", 0, 0), other, replicaSet("b", "2", 1, 1)}, []v1alpha1.AnalysisRun{run, old})
	want := Rollout{
		Rollout: "c/shop/web", Phase: "Paused", Step: 1, Steps: 3, SetWeight: 10, Weight: 16, Replicas: 1, Stage: record.Running, Rejected: []string{"z"},
		Sets: []ReplicaSet{
			{Name: "web-b", Revision: 2, Role: "canary", Image: "web:b", Replicas: 1, Available: 1},
			{Name: "web-a", Revision: 1, Role: "stable", Image: "web:a", Replicas: 5, Available: 5},
		},
		Analyses: []Analysis{{Name: "web-b-2-1", Phase: "Running", Metrics: []Metric{{Name: "rate", Phase: "Running", Successful: 1, Value: "[1]", At: at.Time}}}},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Analysis{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// Step and weights are those that kubectl's plugin shows.
func TestStepAndWeightsAreThoseOfTheStatus(t *testing.T) {
	type weights struct {
		Step    int
		Set, Is int32
	}
	sets := []appsv1.ReplicaSet{replicaSet("a", "1", 5, 5), replicaSet("b", "2", 1, 1)}
	for name, c := range map[string]struct {
		change func(*v1alpha1.Rollout)
		want   weights
	}{
		"at a pause": {func(*v1alpha1.Rollout) {}, weights{1, 10, 16}},
		"with a router": {func(ro *v1alpha1.Rollout) {
			ro.Status.Canary.Weights = &v1alpha1.TrafficWeights{Canary: v1alpha1.WeightDestination{Weight: 10}}
		}, weights{1, 10, 10}},
		"after all steps":  {func(ro *v1alpha1.Rollout) { *ro.Status.CurrentStepIndex = 3 }, weights{3, 100, 16}},
		"promoted":         {func(ro *v1alpha1.Rollout) { ro.Status.StableRS = "b" }, weights{1, 100, 100}},
		"aborted":          {func(ro *v1alpha1.Rollout) { ro.Status.Abort, *ro.Status.CurrentStepIndex = true, 0 }, weights{0, 0, 16}},
		"before any":       {func(ro *v1alpha1.Rollout) { ro.Status = v1alpha1.RolloutStatus{} }, weights{0, 10, 0}},
		"without a canary": {func(ro *v1alpha1.Rollout) { ro.Spec.Strategy.Canary = nil }, weights{0, 0, 0}},
	} {
		ro := middle(1)
		c.change(ro)
		v := viewRollout(record.Rollout{}, ro, sets, nil)
		if got := (weights{v.Step, v.SetWeight, v.Weight}); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
