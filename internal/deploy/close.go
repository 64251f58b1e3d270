package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// closing is the time that saving and releasing may take once the run's own time is over; a run stops that long before
// its lease ends (faults C.4).
const closing = 10 * time.Second

// reasonCap bounds what a record keeps of an error (security R15).
const reasonCap = 2048

// close writes how the run ended, done with it if there is one, and frees the lock, in one conditional write (rule 14).
// A lost fence writes nothing and leaves the wake-up unacknowledged.
func (r *run) close(ctx context.Context, runErr error, last bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	r.report.Ended = time.Now()
	r.report.Outcome = outcomeOf(runErr)
	slices.Sort(r.report.Notes) // writes run side by side
	if runErr != nil {
		r.report.Reason = manifest.CleanText(runErr.Error(), reasonCap)
	} else if r.wanted.Since > 0 && r.rec.Done.Seq != r.wanted.Seq { // not for what a person has applied again
		r.report.LatencyMS = r.report.Ended.UnixMilli() - r.wanted.Since
	}
	var more bool
	_, err := r.Records.Update(ctx, r.name, func(rec *record.Record) error {
		if err := rec.Holds(r.fence); err != nil {
			return err
		}
		if r.done != nil {
			if err := rec.Finish(r.fence, *r.done); err != nil {
				return err
			}
		}
		if final(runErr, last) {
			rec.GiveUp(r.wanted.Seq)
		}
		rec.Remember(r.report)
		var err error
		more, err = rec.Release(r.fence, r.end(runErr))
		return err
	})
	if err != nil {
		return returned(errors.Join(runErr, fmt.Errorf("record run of %s: %w", r.name, err)))
	}
	if fault.Is(runErr, fault.Unfinished) || more && runErr == nil {
		if err := r.Queue.Wake(ctx, r.name); err != nil {
			return fmt.Errorf("wake %s: %w", r.name, err)
		}
	}
	if last && (fault.Is(runErr, fault.Unavailable) || fault.Is(runErr, fault.NotFound)) {
		return fault.New(fault.Unfinished, "%w (the sweep tries again)", runErr) // faults 66: no flood of dead letters
	}
	return runErr
}

// returned makes an error one that is never acknowledged: a run that lost its fence does not know whether the newer
// one works for the same wanted (rule 14).
func returned(err error) error { return fault.Later(fault.Busy, record.Grace, err) }

// end is how the run leaves the lock.
func (r *run) end(runErr error) record.End {
	switch {
	case r.inFlight:
		return record.InFlight
	case runErr == nil:
		return record.Settled
	}
	return record.Partial
}

// final reports whether this seq is not to be woken again: its input is wrong, or the queue gives up on it. A cluster
// that cannot be reached is no reason, nor a kind or a namespace that somebody else has yet to make: without a new
// commit they may come, so the sweep goes on trying (design.md 1.1).
func final(err error, last bool) bool {
	switch fault.Of(err) {
	case fault.Invalid:
		return true
	case fault.Internal, fault.Denied, fault.Conflict:
		return err != nil && last
	case fault.NotFound, fault.Busy, fault.Unavailable, fault.Superseded, fault.Unfinished:
		return false
	}
	return false
}

func outcomeOf(err error) record.Outcome {
	if err == nil {
		return record.Applied
	}
	var partly *partlyApplied
	switch fault.Of(err) {
	case fault.Invalid:
		if errors.As(err, &partly) {
			return record.Failed
		}
		return record.RefusedRun
	case fault.Superseded:
		return record.Replaced
	case fault.Unfinished:
		return record.Paused
	case fault.Internal, fault.NotFound, fault.Conflict, fault.Busy, fault.Denied, fault.Unavailable:
	}
	return record.Failed
}

// partlyApplied marks an error that came after the first write.
type partlyApplied struct{ error }

func (p *partlyApplied) Unwrap() error { return p.error }
