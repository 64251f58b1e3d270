// Package record is what is known of one application: what is wanted, what is done, who holds the lock, and how the
// last runs ended. Each function is one conditional write of the push protocol: it changes a record that was read
// consistently, or refuses. A state adapter makes read, change and write one atomic step, so the conditions live here
// and nowhere else. Rule numbers are those of the protocol, listed in rules.go.
package record

import (
	"time"

	"slipway/internal/revision"
)

// Record is one application's entry in the state. It holds ids, digests and counts, never manifests (security X6).
type Record struct {
	Application string  `json:"application"` // namespace/name of the Application
	Wanted      Wanted  `json:"wanted"`
	Ver         uint64  `json:"ver"` // grows with every write of wanted, also of a revision or a suspect alone
	Done        Done    `json:"done"`
	Lock        Lock    `json:"lock"`
	Requested   uint64  `json:"requested,omitempty"` // the seq a person asked to sync, until it is done; applications without automated sync go only so far
	GivenUp     uint64  `json:"givenUp,omitempty"`   // the seq that went to the dead letters or was refused: the sweep does not wake it
	Refused     Refusal `json:"refused,omitzero"`    // the last revision whose inputs could not be cut out
	// Kinds are where to look for what is ours: "Deployment.apps", "ConfigMap". Written before the first object of a
	// kind is; empty means every kind of the cluster.
	Kinds   []string `json:"kinds,omitempty"`
	History []Run    `json:"history,omitempty"` // newest first, at most historyCap
}

// Wanted is what fetch has found at the tips.
type Wanted struct {
	Revs    map[string]revision.SHA `json:"revs,omitempty"` // by revision.Source.String()
	Digest  string                  `json:"digest,omitempty"`
	Seq     uint64                  `json:"seq,omitempty"` // grows only when Digest changes
	Forced  bool                    `json:"forced,omitempty"`
	Suspect map[string]Suspect      `json:"suspect,omitempty"`
	Since   int64                   `json:"since,omitempty"` // Unix milliseconds: when the move that led here was received
	// Declared is the digest of the Application that Digest was cut for: a changed one is cut again at the same revision.
	Declared string `json:"declared,omitempty"`
}

// Suspect is a tip that is not a descendant of what is wanted: a stale read, or a force-push. A second look tells.
type Suspect struct {
	Tip  revision.SHA `json:"tip"`
	Seen time.Time    `json:"seen"`
}

// Done is what the last finished run applied.
type Done struct {
	Seq       uint64                  `json:"seq,omitempty"`
	Revs      map[string]revision.SHA `json:"revs,omitempty"`
	Digest    string                  `json:"digest,omitempty"`
	Snapshot  string                  `json:"snapshot,omitempty"`  // digest of the rendered manifests
	Inventory string                  `json:"inventory,omitempty"` // digest of the objects and their ownership marks
	Declares  int                     `json:"declares,omitempty"`  // Applications that its manifests declare
	At        time.Time               `json:"at,omitzero"`
	// Destination is the cluster as the application named it: what is left behind when that changes.
	Destination string `json:"destination,omitempty"`
	// Ignored names what the application ignored of live objects: once that changes, they are judged anew.
	Ignored string `json:"ignored,omitempty"`
}

// Lock says who may write to the cluster. The lease saves work; the fence is what keeps a stale run out.
type Lock struct {
	Owner string    `json:"owner,omitempty"` // empty: free
	Until time.Time `json:"until,omitzero"`
	Fence uint64    `json:"fence,omitempty"`
	// Heal is true while drift holds the lock: it will not be for long, so a sync waits instead of coming back later.
	Heal bool `json:"heal,omitempty"`
	// Asked is true once another run wants the lock of a holder that would hold it for long, as a watch does: it ends in
	// order and frees it.
	Asked bool `json:"asked,omitempty"`
	// Clean is true once a holder has left the cluster with nothing of an older run in flight.
	Clean bool `json:"clean,omitempty"`
	// Takeover is the fence from which on an object counts as touched; set by the first holder after an unclean end and
	// kept by those that end in order before they have touched everything, so that a large set is finished in turns.
	Takeover uint64 `json:"takeover,omitempty"`
}

// Refusal says why a revision's inputs could not be had. Wanted stays what it was.
type Refusal struct {
	Source string       `json:"source,omitempty"`
	Rev    revision.SHA `json:"rev,omitempty"`
	Reason string       `json:"reason,omitempty"`
	At     time.Time    `json:"at,omitzero"`
	// Declared is the digest of the Application that was refused: a changed one is tried again.
	Declared string `json:"declared,omitempty"`
}

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	Applied    Outcome = "applied"
	Failed     Outcome = "failed"     // some object was refused by the cluster, or it could not be reached
	RefusedRun Outcome = "refused"    // the input is wrong: nothing was written
	Replaced   Outcome = "superseded" // a newer run or commit took over
	Paused     Outcome = "unfinished" // stopped in order before its time ended
)

// Run is one entry of the history.
type Run struct {
	Seq       uint64                  `json:"seq"`
	Revs      map[string]revision.SHA `json:"revs,omitempty"`
	Fence     uint64                  `json:"fence"`
	Outcome   Outcome                 `json:"outcome"`
	Attempts  int                     `json:"attempts,omitempty"` // how often it ended like this in a row
	Forced    bool                    `json:"forced,omitempty"`
	Reason    string                  `json:"reason,omitempty"` // masked, at most 2 kB
	Applied   int                     `json:"applied"`
	Unchanged int                     `json:"unchanged"`
	Pruned    int                     `json:"pruned"`
	Notes     []string                `json:"notes,omitempty"` // warnings, "kept by MANAGER", what was not pruned and why
	Started   time.Time               `json:"started"`
	Ended     time.Time               `json:"ended"`
	LatencyMS int64                   `json:"latencyMs,omitempty"` // webhook received to last object applied
}

// historyCap and notesCap bound a record's size: a DynamoDB item holds 400 kB, so a run may have about 12 kB.
const (
	historyCap = 20
	notesCap   = 8 << 10 // bytes of one run's notes; what is more is counted
)
