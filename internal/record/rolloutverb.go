package record

import (
	"time"

	"slipway/internal/fault"
)

// Abort writes that a person, or the tick, wants the rollout rolled back (rule 12), on condition RUNNING and the fence as
// read. It is accepted then, and done once the record is ABORTED. The caller answers the token afterwards.
func (r *Rollout) Abort(read uint64, why string) error {
	switch {
	case r.Fence != read:
		return fault.New(fault.Conflict, "abort %s: another execution was named meanwhile", r.Rollout)
	case r.Stage == Promoting:
		return fault.New(fault.Busy, "abort %s: revision %s is being promoted already: revert it instead", r.Rollout, r.Revision)
	case r.Stage != Running:
		return fault.New(fault.Busy, "abort %s: nothing is under way: it is %s", r.Rollout, r.Stage)
	}
	if r.Verb != Abort {
		r.Verb, r.Why = Abort, why
	}
	if r.Token.Answer == Pending {
		r.Token.Answer = Stopped
	}
	return nil
}

// Promote ends the wait that the caller saw (rule 13): its token, of the execution that it read.
func (r *Rollout) Promote(read, token uint64) error {
	switch {
	case r.Fence != read:
		return fault.New(fault.Conflict, "promote %s: another execution was named meanwhile", r.Rollout)
	case r.Stage != Running || r.Verb == Abort:
		return fault.New(fault.Busy, "promote %s: it is being aborted, or nothing is under way", r.Rollout)
	case token == 0 || r.Token.Number != token || r.Token.Answer == Stopped:
		return fault.New(fault.Busy, "promote %s: it does not wait, or not at that step any more", r.Rollout)
	}
	r.Token.Answer = Promoted
	return nil
}

// Full skips all steps that are left: on condition RUNNING, no abort and the fence as read.
func (r *Rollout) Full(read uint64) error {
	switch {
	case r.Fence != read:
		return fault.New(fault.Conflict, "promote %s: another execution was named meanwhile", r.Rollout)
	case r.Stage != Running || r.Verb == Abort:
		return fault.New(fault.Busy, "promote %s: it is being aborted, or nothing is under way", r.Rollout)
	}
	r.Verb = PromoteFull
	if r.Token.Answer == Pending {
		r.Token.Answer = Promoted
	}
	return nil
}

// Janitor takes the record of an execution that has ended without ending the rollout (rule 15): under a fence of its own,
// on condition that the fence is that of the ended one, or the one read. Superseded: there is nothing to clean up.
func (r *Rollout) Janitor(read uint64, call string, now time.Time) (Attempt, error) {
	if r.Fence != read || r.Stage.Ended() {
		return Attempt{}, fault.New(fault.Superseded, "clean up %s: it has ended in order, or another execution goes on", r.Rollout)
	}
	if r.Stage == Running {
		r.Stage = Aborting
	}
	return r.take(call, now), nil
}

// Tend takes the record of a rollout that has ended, to look after its pods: an autoscaler, a person or git may have
// changed their number. It keeps the stage.
func (r *Rollout) Tend(read uint64, call string, now time.Time) (Attempt, error) {
	if r.Fence != read || r.Stage != Healthy && r.Stage != Aborted {
		return Attempt{}, fault.New(fault.Superseded, "tend %s: an execution goes on", r.Rollout)
	}
	return r.take(call, now), nil
}

func (r *Rollout) take(call string, now time.Time) Attempt {
	r.Left = r.left()
	r.Fence, r.Step, r.Call, r.Token = Next(r.Fence, now), 1, call, Token{}
	return Attempt{Fence: r.Fence, Number: 1, Call: call}
}
