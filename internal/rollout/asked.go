package rollout

import "github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

// Asked is the verb that kubectl argo rollouts has left in a Rollout's status; "" when there is none. Such a patch is a
// request: the tick writes the verb into the record first, and only then clears it (rule 14). stage is the record's,
// read before the Rollout. A promote of a step that runs moves the index itself and asks for nothing more.
func Asked(ro *v1alpha1.Rollout, stage Stage) Verb {
	s := &ro.Status
	open := s.CurrentPodHash != s.StableRS
	switch {
	case stage == Aborted && s.AbortedAt != nil && !s.Abort:
		return VerbRetry
	case s.PromoteFull && open && (stage == Running || stage == Aborted):
		return VerbPromoteFull
	case s.Abort && open && stage == Running:
		return VerbAbort
	case s.ControllerPause && len(s.PauseConditions) == 0 && stage == Running:
		return VerbPromote
	}
	return ""
}
