package drive

import (
	"context"
	"fmt"
	"time"

	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/rollout"
)

// Janitor brings a rollout to safety whose execution has ended without doing so: stopped in the console, timed out,
// failed. fence is the ended execution's, or the record's as the tick has read it (rule 15). It comes back as soon as the
// weights are safe and what is left is waiting; the tick goes on from there. Nothing to do is no error.
func (d *Drive) Janitor(ctx context.Context, k Key, fence uint64) error {
	rec, err := d.Rollouts.Get(ctx, k.String())
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	ended, err := d.over(ctx, rec)
	switch {
	case err != nil:
		return fmt.Errorf("clean up %s: %w", k, err)
	case !ended:
		return fault.New(fault.Busy, "clean up %s: execution %s runs", k, rec.Execution)
	}
	var a record.Attempt
	rec, err = d.Rollouts.Update(ctx, k.String(), func(rec *record.Rollout) (err error) {
		a, err = rec.Janitor(fence, call(), time.Now())
		return err
	})
	if fault.Is(err, fault.Superseded) {
		return nil
	}
	if err != nil {
		return err
	}
	why := rec.Why
	if why == "" {
		why = "execution " + rec.Execution + " was stopped"
	}
	return d.finish(ctx, k, a, rollout.Rollback, State{Rollout: k.String(), Task: rollout.Rollback, Hash: rec.Hash, Why: why})
}

// over reports whether the execution that a record names has ended. What was aborted before its record was lost names none
// (rule 2).
func (d *Drive) over(ctx context.Context, rec record.Rollout) (bool, error) {
	if rec.Execution == "" {
		return true, nil
	}
	return d.Ended(ctx, rec.Execution)
}

// tend looks after the pods of a rollout that has ended: their number, and what the status says of them.
func (d *Drive) tend(ctx context.Context, k Key, read record.Rollout) error {
	var a record.Attempt
	rec, err := d.Rollouts.Update(ctx, k.String(), func(rec *record.Rollout) (err error) {
		a, err = rec.Tend(read.Fence, call(), time.Now())
		return err
	})
	if fault.Is(err, fault.Superseded) {
		return nil
	}
	if err != nil {
		return err
	}
	task := rollout.ScaleDown
	if rec.Stage == record.Aborted {
		task = rollout.Rollback
	}
	return d.finish(ctx, k, a, task, State{Rollout: k.String(), Task: task, Hash: rec.Hash, Why: rec.Why})
}

// finish looks again and again as one attempt, until the rollout has ended or there is nothing but to wait.
func (d *Drive) finish(ctx context.Context, k Key, a record.Attempt, task rollout.Task, s State) error {
	r := run{Drive: d, key: k, attempt: a}
	for begin := time.Now(); ; {
		next, after, err := r.decide(ctx, s, task)
		switch {
		case fault.Is(err, fault.Superseded):
			return nil // somebody else goes on
		case err != nil:
			return fmt.Errorf("bring %s to safety: %w", k, err)
		case next.Task == rollout.Superseded && s.Hash != "":
			s.Hash = "" // the template is another one: what is left of this one goes as what is neither stable nor current
			continue
		case next.Task == rollout.RolledBack || next.Task == rollout.Succeeded:
			return r.settle(ctx, next, s.Why)
		case next.Task == rollout.RollbackFailed:
			return fault.New(fault.Unavailable, "roll back %s: %s", k, next.Reason)
		}
		s = after
		wait := max(next.After, time.Second)
		if time.Since(begin)+wait > rest {
			return nil
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}
