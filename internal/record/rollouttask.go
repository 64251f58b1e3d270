package record

import (
	"slices"
	"time"

	"slipway/internal/fault"
)

// ErrAborted says that a task must not go forward: the rollout is to be rolled back (rules 3 and 4).
var ErrAborted = fault.New(fault.Denied, "the rollout is being aborted")

// ErrSettled says that an earlier attempt has written how the rollout ended.
var ErrSettled = fault.New(fault.Superseded, "the rollout has ended")

// Claim is the first write of an attempt (rule 3): from then on no earlier one writes. Superseded: another execution, or
// the janitor, holds the record. Conflict: a later attempt of this one does. It ends the wait that came before it; what
// was decided about that wait stays decided (rules 7 and 8).
func (r *Rollout) Claim(a Attempt) error {
	if err := r.claim(a); err != nil {
		return err
	}
	return r.forward()
}

// forward reports whether the rollout may go forward: RUNNING without an abort, or PROMOTING.
func (r *Rollout) forward() error {
	if r.Stage == Healthy {
		return ErrSettled
	}
	if r.Stage != Promoting && (r.Stage != Running || r.Verb == Abort) {
		return ErrAborted
	}
	return nil
}

func (r *Rollout) claim(a Attempt) error {
	switch {
	case r.Fence != a.Fence:
		return fault.New(fault.Superseded, "claim %s: its fence is another one now", r.Rollout)
	case r.Step > a.Number:
		return fault.New(fault.Conflict, "claim %s: attempt %d is later than %d", r.Rollout, r.Step, a.Number)
	}
	r.Step, r.Call = a.Number, a.Call
	if r.Token.Answer == Promoted {
		step := r.Token.Step
		r.Promoted = &step
	}
	r.Token = Token{}
	return nil
}

// ClaimWait claims for a wait and registers its token (rule 8). Decided: an earlier attempt's was promoted already, so
// that the caller answers its own.
func (r *Rollout) ClaimWait(a Attempt, step int32, handle string) (decided bool, err error) {
	if err := r.Claim(a); err != nil {
		return false, err
	}
	if r.Promoted != nil && *r.Promoted == step || r.Verb == PromoteFull {
		return true, nil
	}
	r.Token = Token{Number: a.Number, Step: step, Answer: Pending, Handle: handle}
	return false, nil
}

// ClaimPromote claims for the promotion and writes PROMOTING, before weight 100 (rule 9).
func (r *Rollout) ClaimPromote(a Attempt) error {
	if err := r.Claim(a); err != nil {
		return err
	}
	r.Stage = Promoting
	return nil
}

// ClaimRollback claims for a rollback, whoever asked for it, and writes ABORTING; a promotion that is under way is first
// looked at (rule 11).
func (r *Rollout) ClaimRollback(a Attempt) error {
	if err := r.claim(a); err != nil {
		return err
	}
	if r.Stage == Healthy || r.Stage == Aborted {
		return ErrSettled
	}
	if r.Stage == Running {
		r.Stage = Aborting
	}
	return nil
}

// Holds reports whether the attempt still holds the record (rule 4, and the condition of every write of a task).
func (r *Rollout) Holds(a Attempt) error {
	switch {
	case r.Fence != a.Fence:
		return fault.New(fault.Superseded, "write %s: its fence is another one now", r.Rollout)
	case r.Step != a.Number || r.Call != a.Call:
		return fault.New(fault.Conflict, "write %s: another attempt holds the record", r.Rollout)
	}
	return nil
}

// GoesOn is Holds for a task that goes forward: an abort stops it (rule 4). A verdict is written on the same condition
// (rule 9).
func (r *Rollout) GoesOn(a Attempt) error {
	if err := r.Holds(a); err != nil {
		return err
	}
	return r.forward()
}

// Abandon turns a promotion back whose canary does not serve any more, before the stable Service has moved (rule 11).
func (r *Rollout) Abandon(a Attempt) error {
	if err := r.Holds(a); err != nil {
		return err
	}
	r.Stage = Aborting
	return nil
}

// Know writes what the tasks that follow need: the hash of the pods.
func (r *Rollout) Know(a Attempt, hash string) error {
	if err := r.Holds(a); err != nil {
		return err
	}
	r.Hash = hash
	return nil
}

// Weighed writes that the router has taken a new weight.
func (r *Rollout) Weighed(a Attempt, weight int32, now time.Time) error {
	if err := r.Holds(a); err != nil {
		return err
	}
	r.Weight, r.WeightAt = weight, now
	return nil
}

// Settle is the last write: HEALTHY, or ABORTED and the revision rejected (rules 10 and 11).
func (r *Rollout) Settle(a Attempt, end Stage, why string) error {
	if err := r.Holds(a); err != nil {
		return err
	}
	r.Stage, r.Verb, r.Promoted, r.Why = end, "", nil, ""
	switch end {
	case Aborted:
		r.Why = why
		r.Reject(r.Revision)
	default:
		r.Rejected = slices.DeleteFunc(slices.Clone(r.Rejected), func(old string) bool { return old == r.Revision })
	}
	return nil
}
