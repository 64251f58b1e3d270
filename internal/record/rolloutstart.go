package record

import (
	"slices"
	"time"

	"slipway/internal/fault"
)

// Start names an execution before it is started (rule 2), on condition that the fence is the one read. name makes the
// execution's name of its fence. Superseded: the revision runs or ran already. Invalid: it was rolled back. Busy: a
// promotion is under way, which the tick waits for. Who waited for the execution before goes to Left.
func (r *Rollout) Start(read uint64, revision string, name func(fence uint64) string, now time.Time) error {
	switch {
	case r.Fence != read:
		return fault.New(fault.Conflict, "start %s: another execution was named meanwhile", r.Rollout)
	case revision == r.Revision:
		return fault.New(fault.Superseded, "start %s: revision %s has an execution already", r.Rollout, revision)
	case r.Rejects(revision):
		return fault.New(fault.Invalid, "start %s: revision %s was rolled back: push another one, or retry", r.Rollout, revision)
	}
	return r.begin(revision, name, now)
}

// Recall is a start without a record (rule 2) of a revision that the Rollout's status shows as aborted: the record was lost.
// What is left of it is cleaned up, and it is rejected then; no execution is named. Conflict: there is a record.
func (r *Rollout) Recall(revision, why string, now time.Time) error {
	if r.Fence != 0 {
		return fault.New(fault.Conflict, "start %s: another execution was named meanwhile", r.Rollout)
	}
	*r = Rollout{Rollout: r.Rollout, Fence: Next(0, now), Revision: revision, Stage: Aborting, Why: why}
	return nil
}

// Retry is a person's: it starts what was rolled back once more (rule 2).
func (r *Rollout) Retry(read uint64, revision string, full bool, name func(fence uint64) string, now time.Time) error {
	switch {
	case r.Fence != read:
		return fault.New(fault.Conflict, "retry %s: another execution was named meanwhile", r.Rollout)
	case r.Stage != Aborted:
		return fault.New(fault.Busy, "retry %s: it is %s, not ABORTED", r.Rollout, r.Stage)
	}
	if err := r.begin(revision, name, now); err != nil {
		return err
	}
	if full {
		r.Verb = PromoteFull
	}
	return nil
}

func (r *Rollout) begin(revision string, name func(fence uint64) string, now time.Time) error {
	if r.Stage == Promoting {
		return fault.New(fault.Busy, "start %s: revision %s is being promoted", r.Rollout, r.Revision)
	}
	fence := Next(r.Fence, now)
	origin := r.Origin
	if revision != r.Revision {
		origin = Origin{}
	}
	*r = Rollout{
		Rollout: r.Rollout, Fence: fence, Execution: name(fence), Revision: revision, Stage: Running, Origin: origin,
		Rejected: r.Rejected, Left: r.left(),
	}
	return nil
}

// left is Left with the wait of the execution that ends.
func (r *Rollout) left() []string {
	left := r.Left
	if r.Token.Handle != "" {
		left = append(slices.Clone(left), r.Token.Handle)
	}
	return left[max(0, len(left)-keptRevisions):]
}

// From says whose commit a revision came with. Of a revision that is not this record's nothing is kept.
func (r *Rollout) From(revision string, o Origin) {
	if revision == r.Revision {
		r.Origin = o
	}
}

// Forget takes waits off Left that have been ended.
func (r *Rollout) Forget(ended []string) {
	r.Left = slices.DeleteFunc(slices.Clone(r.Left), func(h string) bool { return slices.Contains(ended, h) })
}

// Rejects reports whether a revision was rolled back, or refused while another one ran.
func (r *Rollout) Rejects(revision string) bool { return slices.Contains(r.Rejected, revision) }

// Reject remembers a revision that must not be started.
func (r *Rollout) Reject(revision string) {
	others := slices.DeleteFunc(slices.Clone(r.Rejected), func(old string) bool { return old == revision })
	others = append([]string{revision}, others...)
	r.Rejected = others[:min(len(others), keptRevisions)]
}

// HandOver names the execution that goes on with what this attempt's execution does, before its history is full (rule 17).
// All that was asked for stays.
func (r *Rollout) HandOver(a Attempt, name func(fence uint64) string, now time.Time) error {
	if err := r.Holds(a); err != nil {
		return err
	}
	if r.Stage != Running && r.Stage != Promoting {
		return fault.New(fault.Superseded, "hand over %s: it is %s", r.Rollout, r.Stage)
	}
	fence := Next(r.Fence, now)
	r.Fence, r.Execution, r.Step, r.Call = fence, name(fence), 0, ""
	return nil
}
