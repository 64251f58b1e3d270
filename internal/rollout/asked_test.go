package rollout

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

func TestWhatThePluginAsksFor(t *testing.T) {
	paused := []v1alpha1.PauseCondition{{Reason: v1alpha1.PauseReasonCanaryPauseStep}}
	when := &metav1.Time{}
	for _, c := range []struct {
		name   string
		stage  Stage
		status v1alpha1.RolloutStatus
		want   Verb
	}{
		{"nothing", Running, v1alpha1.RolloutStatus{}, ""},
		{"nothing, in a pause", Running, v1alpha1.RolloutStatus{ControllerPause: true, PauseConditions: paused}, ""},
		{"promote", Running, v1alpha1.RolloutStatus{ControllerPause: true}, VerbPromote},
		{"promote --full", Running, v1alpha1.RolloutStatus{PromoteFull: true}, VerbPromoteFull},
		{"promote --full of an aborted one", Aborted, v1alpha1.RolloutStatus{PromoteFull: true, Abort: true, AbortedAt: when}, VerbPromoteFull},
		{"abort", Running, v1alpha1.RolloutStatus{Abort: true}, VerbAbort},
		{"abort while it promotes", Promoting, v1alpha1.RolloutStatus{Abort: true}, ""},
		{"abort that is under way", Aborting, v1alpha1.RolloutStatus{Abort: true, AbortedAt: when}, ""},
		{"aborted", Aborted, v1alpha1.RolloutStatus{Abort: true, AbortedAt: when}, ""},
		{"retry", Aborted, v1alpha1.RolloutStatus{AbortedAt: when}, VerbRetry},
		{"abort of what is stable", Healthy, v1alpha1.RolloutStatus{Abort: true, StableRS: "a", CurrentPodHash: "a"}, ""},
	} {
		if c.status.CurrentPodHash == "" {
			c.status.CurrentPodHash, c.status.StableRS = "b", "a"
		}
		if got := Asked(&v1alpha1.Rollout{Status: c.status}, c.stage); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
