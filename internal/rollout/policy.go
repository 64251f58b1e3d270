package rollout

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/fault"
)

// supersedeNote is the annotation on a Rollout that says what a new template does to a canary that runs.
const supersedeNote = "slipway.dev/supersede"

// Policy is what a new template does to a canary that runs.
type Policy string

// The policies. Restart is meant where nothing is said.
const (
	Restart Policy = "restart" // the new one begins at once, from weight 0 and the same stable
	Queue   Policy = "queue"   // the new one waits until the running one has ended
	Reject  Policy = "reject"  // the new one is not rolled out; another commit is
)

// PolicyOf is the policy of a Rollout by its annotation slipway.dev/supersede; fault.Invalid if it is none.
func PolicyOf(o metav1.Object) (Policy, error) {
	switch p := Policy(o.GetAnnotations()[supersedeNote]); p {
	case "":
		return Restart, nil
	case Restart, Queue, Reject:
		return p, nil
	default:
		return "", fault.New(fault.Invalid, "Rollout %s/%s: annotation %s: %.40q is not %s, %s or %s", o.GetNamespace(), o.GetName(), supersedeNote, string(p), Restart, Queue, Reject)
	}
}
