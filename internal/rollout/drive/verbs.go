package drive

import (
	"cmp"
	"context"
	"time"

	"slipway/internal/fault"
	"slipway/internal/record"
)

// Promote ends the wait that a rollout is in: its pause, or the analysis that runs. Busy, with the reason: it does not
// wait (rule 13).
func (d *Drive) Promote(ctx context.Context, k Key) error {
	return d.tell(ctx, k, func(rec *record.Rollout, read record.Rollout) error {
		return rec.Promote(read.Fence, read.Token.Number)
	})
}

// PromoteFull skips all steps that are left. What was rolled back is tried again, without steps.
func (d *Drive) PromoteFull(ctx context.Context, k Key) error {
	rec, err := d.Rollouts.Get(ctx, k.String())
	if err != nil {
		return err
	}
	if rec.Stage == record.Aborted {
		return d.retry(ctx, k, rec, true)
	}
	return d.tell(ctx, k, func(rec *record.Rollout, read record.Rollout) error { return rec.Full(read.Fence) })
}

// Abort asks for a rollback; it is accepted when this returns, and done once the record is ABORTED (rule 12). Busy, with
// the reason: there is nothing to abort, or it is too late.
func (d *Drive) Abort(ctx context.Context, k Key, why string) error {
	return d.tell(ctx, k, func(rec *record.Rollout, read record.Rollout) error { return rec.Abort(read.Fence, why) })
}

// Retry starts what was rolled back once more (rule 2).
func (d *Drive) Retry(ctx context.Context, k Key) error {
	rec, err := d.Rollouts.Get(ctx, k.String())
	if err != nil {
		return err
	}
	return d.retry(ctx, k, rec, false)
}

// tell writes a verb on what was read and answers the token afterwards: if this process dies in between, the tick sends.
func (d *Drive) tell(ctx context.Context, k Key, verb func(rec *record.Rollout, read record.Rollout) error) error {
	read, err := d.Rollouts.Get(ctx, k.String())
	if err != nil {
		return err
	}
	return d.tellRead(ctx, read, verb)
}

func (d *Drive) tellRead(ctx context.Context, read record.Rollout, verb func(rec *record.Rollout, read record.Rollout) error) error {
	rec, err := d.Rollouts.Update(ctx, read.Rollout, func(rec *record.Rollout) error { return verb(rec, read) })
	if err != nil {
		return err
	}
	return d.send(ctx, rec)
}

func (d *Drive) retry(ctx context.Context, k Key, read record.Rollout, full bool) error {
	c, err := d.Connect(ctx, k.Cluster)
	if err != nil {
		return err
	}
	u, err := c.Get(ctx, k.id())
	if err != nil {
		return err
	}
	_, revision, err := revised(u)
	if err != nil {
		return err
	}
	rec, err := d.Rollouts.Update(ctx, k.String(), func(rec *record.Rollout) error {
		return rec.Retry(read.Fence, revision, full, k.execution(revision), time.Now())
	})
	if err != nil {
		return err
	}
	if err := d.launch(ctx, rec); err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	return nil
}

// Control is what a person asks through the state machine infra/rollout-control.asl.json.
type Control struct {
	Rollout string `json:"rollout"` // cluster/namespace/name
	Action  string `json:"action"`  // promote, promote-full, abort or retry
	Why     string `json:"why"`     // of an abort; may be empty
}

// Control does what is asked. What is refused is *Refused, with the reason; what may go well later is *Again.
func (d *Drive) Control(ctx context.Context, c Control) error {
	k, err := ParseKey(c.Rollout)
	if err == nil {
		switch c.Action {
		case "promote":
			err = d.Promote(ctx, k)
		case "promote-full":
			err = d.PromoteFull(ctx, k)
		case "abort":
			err = d.Abort(ctx, k, cmp.Or(c.Why, "aborted by a person"))
		case "retry":
			err = d.Retry(ctx, k)
		default:
			err = fault.New(fault.Invalid, "%.40q is not promote, promote-full, abort or retry", c.Action)
		}
	}
	if fault.Is(err, fault.Busy) || fault.Is(err, fault.NotFound) {
		return &Refused{err}
	}
	return named(err)
}
