package revision

import "time"

// The times of a look. Stale is longer than any host was seen to answer with an old tip, so a tip that is still the
// same after it is real (protocol rule 5). HintWait is how long a host may lag behind its own webhook before we go on
// with what it says (faults C.3 step 2; rancher/fleet #4845, #5218).
const (
	Stale    = 60 * time.Second
	HintWait = 20 * time.Second

	hintFirst = 500 * time.Millisecond
)

// Look is what was read about one source: the record first, then the host (protocol rule 3). Times of commits and of
// payloads are not part of it: their authors choose them.
type Look struct {
	Wanted   SHA      // the source's revision in the record's wanted (never in done: rule 4); "" when there is none
	Tip      SHA      // what the host says now; "" when the ref is gone
	Relation Relation // of Tip to Wanted; Diverged when the host no longer has Wanted; not read when they are equal or one is ""

	SuspectTip  SHA       // the record's suspect for the source; "" when there is none
	SuspectSeen time.Time // when that tip was first seen: a time after it was read
	Now         time.Time // a time before Tip was read, so that two reads are never closer than they look

	Hint         SHA           // the commit that the webhook named; "" from a sweep
	HintRelation Relation      // of Hint to Tip; "" or Diverged when the host does not have Hint
	HintAge      time.Duration // since the webhook was received
}

// Action is what to do about a look.
type Action uint8

// The actions. Skip, Go and GoForced end the move; Suspect and Wait bring it back.
const (
	Skip     Action = iota // nothing newer: clear the suspect, wake what is wanted and not done (rules 4 and 8)
	Go                     // want the tip: it has what is wanted among its ancestors
	GoForced               // want the tip although it has not, and mark it: the branch was really set back
	Suspect                // remember the tip and look again: a stale read, or a force-push (rule 5)
	Wait                   // write nothing and look again: the host is behind its own webhook
)

var actions = [...]string{Skip: "skip", Go: "go", GoForced: "go forced", Suspect: "suspect", Wait: "wait"}

func (a Action) String() string {
	if int(a) < len(actions) {
		return actions[a]
	}
	return "unknown action"
}

// Decision is an Action, when to look again (Suspect and Wait only, more than zero), and why, for people.
type Decision struct {
	Action  Action
	After   time.Duration
	Because string
}

// Choose says which of two revisions wins (protocol rules 3 to 5 and faults C.3, the protocol deciding). Whatever it
// answers stands only as long as the record has not changed since it was read. A relation it does not know counts as
// Diverged: on doubt nothing goes back unmarked.
func Choose(in Look) Decision {
	switch {
	case in.Tip == "":
		return Decision{Action: Skip, Because: "the ref has no tip"}
	case in.Hint != "" && in.Hint != in.Tip && in.HintRelation == Ahead && in.HintAge < HintWait:
		return Decision{Action: Wait, After: hintAfter(in.HintAge), Because: "the host still shows " + in.Tip.Short() + ", older than the pushed " + in.Hint.Short()}
	case in.Wanted == "":
		return Decision{Action: Go, Because: "nothing was wanted yet"}
	case in.Wanted == in.Tip:
		return Decision{Action: Skip, Because: in.Tip.Short() + " is wanted already"}
	case in.Relation == Ahead:
		return Decision{Action: Go, Because: in.Tip.Short() + " is ahead of " + in.Wanted.Short()}
	}
	how := "beside"
	if in.Relation == Behind {
		how = "behind"
	}
	if in.SuspectTip != in.Tip {
		return Decision{Action: Suspect, After: Stale, Because: in.Tip.Short() + " is " + how + " the wanted " + in.Wanted.Short() + ": a stale read or a force-push"}
	}
	if left := Stale - in.Now.Sub(in.SuspectSeen); left > 0 {
		// A clock that was set back would make left longer than the wait itself.
		return Decision{Action: Suspect, After: min(left, Stale), Because: in.Tip.Short() + " is " + how + " the wanted " + in.Wanted.Short() + ", not long enough yet"}
	}
	return Decision{Action: GoForced, Because: "the branch was set back: " + in.Tip.Short() + " is " + how + " " + in.Wanted.Short() + " and stayed"}
}

// hintAfter doubles the time since the webhook, within what is left of HintWait: 0.5, 1, 2, 4, 8, 16 and 20 s after it.
func hintAfter(age time.Duration) time.Duration {
	return min(max(age, hintFirst), HintWait-age)
}
