package drive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/internal/record"
	"slipway/internal/rollout"
)

// Tasks of the machine beside rollout's own.
const (
	Look       rollout.Task = "Look"     // after a pause, a measurement or a hand-over: what comes next
	HandOver   rollout.Task = "HandOver" // the history is nearly full: another execution goes on
	HandedOver              = rollout.Task("HandedOver")
	Measure    rollout.Task = "Measure"
)

// Task is one attempt of one task: it claims the record, reads the cluster, reads the record again, decides, and writes.
// It may be called any number of times for any attempt, early or late. Errors are *Superseded, *Aborted, *Again and
// *Refused, unwrapped, since the machine catches them by name.
func (d *Drive) Task(ctx context.Context, c Call) (State, error) {
	s, err := d.task(ctx, c)
	if err != nil {
		return State{}, named(err)
	}
	return s, nil
}

func (d *Drive) task(ctx context.Context, c Call) (State, error) {
	k, err := ParseKey(c.State.Rollout)
	if err != nil {
		return State{}, err
	}
	if c.Task == rollout.Begin && c.State.Resume {
		c.Task = Look
	}
	r := run{Drive: d, key: k, call: c, attempt: record.Attempt{Fence: c.State.Fence, Number: c.number(), Call: call()}}
	switch {
	case c.Token != "":
		return r.wait(ctx)
	case c.Task == HandOver:
		return r.handOver(ctx)
	case c.Task == Measure:
		return r.measure(ctx)
	}
	return r.look(ctx)
}

// run is one attempt at work.
type run struct {
	*Drive
	key     Key
	call    Call
	attempt record.Attempt
}

func (r run) update(ctx context.Context, change func(*record.Rollout) error) (record.Rollout, error) {
	rec, err := r.Rollouts.Update(ctx, r.key.String(), change)
	return rec, ofRecord(err)
}

// claim is the first write of an attempt (rule 3).
func (r run) claim(ctx context.Context) (record.Rollout, error) {
	return r.update(ctx, func(rec *record.Rollout) error {
		switch r.call.Task {
		case rollout.Promote:
			return rec.ClaimPromote(r.attempt)
		case rollout.Rollback:
			return rec.ClaimRollback(r.attempt)
		default:
			return rec.Claim(r.attempt)
		}
	})
}

func (r run) look(ctx context.Context) (State, error) {
	_, err := r.claim(ctx)
	if errors.Is(err, record.ErrSettled) {
		return r.settled(ctx)
	}
	if err != nil {
		return State{}, err
	}
	s := r.call.turn()
	s.Why = r.call.State.cause()
	next, s, err := r.patiently(ctx, s)
	if err != nil {
		return State{}, err
	}
	if err := r.settle(ctx, next, s.Why); err != nil {
		return State{}, err
	}
	return s, nil
}

// patiently decides, and again while all that is missing is pods that are about to come or go, or a router that is about
// to answer: a wait of the machine is a second at least and costs three transitions. It is one attempt; each pass reads
// anew, and writes on the same claim.
func (r run) patiently(ctx context.Context, s State) (rollout.Next, State, error) {
	next, after, err := r.decide(ctx, s, r.call.Task)
	for begin := time.Now(); err == nil && soon(next) && time.Since(begin) < r.Patience; {
		if err = sleep(ctx, impatience); err == nil {
			next, after, err = r.decide(ctx, s, next.Task)
		}
	}
	return next, after, err
}

// soon reports whether what is waited for may come within a moment.
func soon(next rollout.Next) bool {
	return (next.Task == rollout.Ready || next.Task == rollout.Verify || next.Task == rollout.ScaleDown) && next.After > 0 && next.After <= time.Second
}

// settled answers an attempt that comes after the last write.
func (r run) settled(ctx context.Context) (State, error) {
	rec, err := r.Rollouts.Get(ctx, r.key.String())
	if err != nil {
		return State{}, err
	}
	s := r.call.turn()
	s.Why = rec.Why
	if s.Task = rollout.Succeeded; rec.Stage == record.Aborted {
		s.Task = rollout.RolledBack
	}
	return s, nil
}

// decide passes over the cluster until nobody has come in between.
func (r run) decide(ctx context.Context, s State, task rollout.Task) (rollout.Next, State, error) {
	var err error
	for _, pause := range pauses {
		if err := sleep(ctx, pause); err != nil {
			return rollout.Next{}, s, err
		}
		var next rollout.Next
		var after State
		next, after, err = r.pass(ctx, s, task)
		if !moved(err) {
			return next, after, err
		}
	}
	return rollout.Next{}, s, err
}

// pass is read, record, decide, write: in that order, so that a late one finds either the record or the objects moved
// (rule 4). The objects that were read are touched before anything is written to them (rule 5).
func (r run) pass(ctx context.Context, s State, task rollout.Task) (rollout.Next, State, error) {
	var none rollout.Next
	c, err := r.Connect(ctx, r.key.Cluster)
	if err != nil {
		return none, s, fmt.Errorf("connect to cluster of %s: %w", r.key, err)
	}
	w, err := r.read(ctx, c, r.key)
	if err != nil {
		return none, s, err
	}
	rec, err := r.again(ctx, task)
	if err != nil {
		return none, s, err
	}
	w.asks(rec, s, task)
	changes, next, err := rollout.Decide(w.in)
	if err != nil {
		return none, s, err
	}
	if touches(task) {
		if err := w.touch(ctx, r.attempt); err != nil {
			return none, s, err
		}
	}
	if err := r.prepare(ctx, w, rec, changes, next); err != nil {
		return none, s, err
	}
	if err := w.write(ctx, changes); err != nil {
		return none, s, err
	}
	s = s.then(next)
	if i := w.index(changes); i != nil {
		s.Step = *i
	}
	return next, w.due(s, next), nil
}

// again reads the record after the cluster was read, and refuses what is late or aborted (rule 4).
func (r run) again(ctx context.Context, task rollout.Task) (record.Rollout, error) {
	rec, err := r.Rollouts.Get(ctx, r.key.String())
	if err != nil {
		return rec, err
	}
	if task == rollout.Rollback || rec.Stage.Ended() {
		return rec, ofRecord(rec.Holds(r.attempt))
	}
	return rec, ofRecord(rec.GoesOn(r.attempt))
}

// asks puts what the record and the machine know into the question.
func (w *world) asks(rec record.Rollout, s State, task rollout.Task) {
	w.in.Task, w.in.Stage, w.in.Verb = task, rollout.Stage(rec.Stage), rollout.Verb(rec.Verb)
	if rec.Promoted != nil && rec.Verb == "" {
		w.in.Verb, w.in.VerbStep = rollout.VerbPromote, *rec.Promoted
	}
	w.in.Hash, w.in.Now = s.Hash, time.Now()
	if w.in.Tries = s.Tries; waits(s.Task) {
		w.in.Tries = 0 // looks in the middle of a pause are no tries of what comes after it
	}
	if w.in.Why = rec.Why; w.in.Why == "" {
		w.in.Why = s.Why
	}
}

// prepare writes into the record what must be there before the cluster is changed: the hash of the pods, and which way a
// promotion goes that nobody can finish (rule 11).
func (r run) prepare(ctx context.Context, w *world, rec record.Rollout, changes rollout.Changes, next rollout.Next) error {
	weight := w.carries(next.Hash, rec.Weight)
	back := rec.Stage == record.Promoting && changes.Status != nil && changes.Status.Abort
	if rec.Hash == next.Hash && rec.Weight == weight && !back {
		return nil
	}
	_, err := r.update(ctx, func(rec *record.Rollout) error {
		if rec.Weight != weight {
			if err := rec.Weighed(r.attempt, weight, time.Now()); err != nil {
				return err
			}
		}
		if back {
			if err := rec.Abandon(r.attempt); err != nil {
				return err
			}
		}
		return rec.Know(r.attempt, next.Hash)
	})
	return err
}

// carries is the weight that the canary really has: what the router has taken, or its pods; before while the router has
// not taken what it was given.
func (w *world) carries(hash string, before int32) int32 {
	if w.router != nil {
		if w.in.Verified {
			return w.in.Weight
		}
		return before
	}
	for _, rs := range w.in.ReplicaSets {
		if rs.Labels[hashLabel] == hash {
			return rs.Status.AvailableReplicas
		}
	}
	return 0
}

// index is the rollout's step once the changes are written.
func (w *world) index(c rollout.Changes) *int32 {
	if c.Status != nil {
		return c.Status.CurrentStepIndex
	}
	return w.ro.Status.CurrentStepIndex
}

// settle is the last write of a rollout (rules 10 and 11).
func (r run) settle(ctx context.Context, next rollout.Next, why string) error {
	end := record.Healthy
	switch next.Task {
	case rollout.RolledBack:
		end = record.Aborted
	case rollout.Succeeded:
	default:
		return nil
	}
	_, err := r.update(ctx, func(rec *record.Rollout) error { return rec.Settle(r.attempt, end, why) })
	return err
}

// handOver lets another execution go on with what this one does (rule 17).
func (r run) handOver(ctx context.Context) (State, error) {
	rec, err := r.update(ctx, func(rec *record.Rollout) error {
		if err := rec.Claim(r.attempt); err != nil {
			return err
		}
		return rec.HandOver(r.attempt, r.key.execution(rec.Revision), time.Now())
	})
	if err != nil {
		return State{}, err
	}
	if err := r.launch(ctx, rec); err != nil {
		return State{}, err // the next attempt finds itself superseded, and the tick starts what the record names
	}
	s := r.call.turn()
	s.Task = HandedOver
	return s, nil
}
