package record

import "time"

// Rollout is one Rollout's entry in the state: which execution drives it, which attempt of which task may write, and what
// people have asked for. Its functions are the conditional writes of the protocol of rollouts, each of a record that was
// read consistently. The rule numbers in the files rollout*.go are those of test/sim/rollout/README.md, not the push
// protocol's. What sync and drift leave to a rollout is not in here: a record may be lost (rule 18).
type Rollout struct {
	Rollout   string `json:"rollout"`             // cluster/namespace/name
	Fence     uint64 `json:"fence,omitempty"`     // of the execution, or of the janitor that came after it
	Execution string `json:"execution,omitempty"` // its name; named here first, then started (rule 2)
	Revision  string `json:"revision,omitempty"`  // what it rolls out: of pod template and steps
	Hash      string `json:"hash,omitempty"`      // of the pods of that revision, once the first task has told
	Stage     Stage  `json:"stage,omitempty"`
	Step      uint64 `json:"step,omitempty"` // number of the attempt that holds the record (rule 3)
	Call      string `json:"call,omitempty"` // tells apart two calls of that attempt: a task may be started twice
	Verb      Verb   `json:"verb,omitempty"`
	Why       string `json:"why,omitempty"` // of an abort
	// Promoted is the index of the step that a person has ended; at another one it is void.
	Promoted *int32 `json:"promoted,omitempty"`
	Token    Token  `json:"token,omitzero"`
	// Weight is what the canary had when it was last looked at, and WeightAt when the router had taken it: analysis warms
	// up from there. Without a router it is a number of pods.
	Weight   int32     `json:"weight,omitempty"`
	WeightAt time.Time `json:"weightAt,omitzero"`
	// Origin is whose commit the revision came with; zero where the tick began it, which knows of no commit.
	Origin Origin `json:"origin,omitzero"`
	// Rejected are the last revisions that were rolled back, newest first: no start for them but a person's retry.
	Rejected []string `json:"rejected,omitempty"`
	// Left are waits of executions that were superseded, to be ended: they find that out when they claim (rule 3).
	Left []string `json:"left,omitempty"`
}

// Origin is where a revision came from, for people: what they revert when it was rolled back.
type Origin struct {
	Application string `json:"application,omitempty"` // namespace/name
	Commit      string `json:"commit,omitempty"`
}

// Stage is how far a rollout is; it decides who may still be heard.
type Stage string

// The stages. Healthy and Aborted are ends.
const (
	Running   Stage = "RUNNING"
	Promoting Stage = "PROMOTING"
	Aborting  Stage = "ABORTING"
	Aborted   Stage = "ABORTED"
	Healthy   Stage = "HEALTHY"
)

// Ended reports whether nothing is under way: HEALTHY, ABORTED, or no execution yet.
func (s Stage) Ended() bool { return s == Healthy || s == Aborted || s == "" }

// Verb is what a person asked the whole rollout to do.
type Verb string

// The verbs. A plain promote is bound to a token instead.
const (
	Abort       Verb = "abort"
	PromoteFull Verb = "promote-full"
)

// Token is a wait that a person or the tick may end.
type Token struct {
	Number uint64   `json:"number,omitempty"` // of the attempt that registered it
	Step   int32    `json:"step,omitempty"`   // index of the rollout's step that waits
	Answer Decision `json:"answer,omitempty"`
	Handle string   `json:"handle,omitempty"` // what the workflow engine is answered by; never logged
}

// Decision is what has become of a token.
type Decision string

// The decisions. Empty: nobody waits.
const (
	Pending  Decision = "PENDING"
	Promoted Decision = "promote"
	Stopped  Decision = "abort"
)

// Attempt is one attempt of one task. Numbers grow within an execution; the janitor's is 1 under a fence of its own.
type Attempt struct {
	Fence, Number uint64
	Call          string
}

// keptRevisions bounds Rejected and Left.
const keptRevisions = 10
