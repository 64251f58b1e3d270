package health

import "strconv"

// rollout: resource_customizations/argoproj.io/Rollout/health.lua. Who drives a Rollout writes its phase, since Argo Rollouts
// 1.0: what that file makes of the statuses of older ones is left out, and without a phase a Rollout is Progressing.
func rollout(o object) Status {
	status := o.at("status")
	if status == nil || !rolloutObserved(o) {
		return unobserved
	}
	s := Status{Unknown, status.text("message")}
	switch status.text("phase") {
	case "", "Progressing":
		s.Code = Progressing
	case "Paused":
		s.Code = Suspended
	case "Healthy":
		s.Code = Healthy
	case "Degraded":
		s.Code = Degraded
	}
	return s
}

// rolloutObserved is observed for a Rollout, whose status has the generation as text. Before 0.10 that was a hash, which may
// be all digits. The workload that it refers to has a generation of its own.
func rolloutObserved(o object) bool {
	status := o.at("status")
	if seen, err := strconv.ParseInt(status.text("observedGeneration"), 10, 64); err == nil && seen < o.at("metadata").count("generation") {
		return false
	}
	notes := o.at("metadata", "annotations")
	return o.at("spec", "workloadRef") == nil || notes == nil ||
		notes.text("rollout.argoproj.io/workload-generation") == status.text("workloadObservedGeneration")
}
