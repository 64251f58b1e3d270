package lease

import (
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/rollout"
)

// Postponed reports whether a Rollout's template and strategy stay as they are live for now, because a canary is under way
// that is not to be superseded. A rollout follows its template, so what must not begin must not be applied either. That a
// canary is under way is told from the status: a record may be lost. Whether it is to be superseded is told from what git
// says, not from the live annotation: that is applied by the same sync, and so one commit can bring a template and have it
// take the place of whatever runs.
func Postponed(said, live *unstructured.Unstructured) bool {
	if p, err := rollout.PolicyOf(said); err != nil || p == rollout.Restart { // a wrong one is refused before it is applied
		return false
	}
	text := func(field string) string {
		s, _, _ := unstructured.NestedString(live.Object, "status", field) // of another type: none
		return s
	}
	aborted, _, _ := unstructured.NestedBool(live.Object, "status", "abort")
	stable, current, phase := text("stableRS"), text("currentPodHash"), v1alpha1.RolloutPhase(text("phase"))
	return !aborted && stable != "" && stable != current && (phase == v1alpha1.RolloutPhaseProgressing || phase == v1alpha1.RolloutPhasePaused)
}

// Rejects reports whether a template that is postponed is not to be rolled out afterwards either.
func Rejects(said *unstructured.Unstructured) bool {
	p, err := rollout.PolicyOf(said)
	return err == nil && p == rollout.Reject
}
