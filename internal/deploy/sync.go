package deploy

import (
	"context"
	"fmt"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// restarts bounds how often a run starts again because something newer was wanted while it rendered.
const restarts = 3

// noteCap bounds one note, in bytes; the record bounds them all.
const noteCap = 512

// Sync brings the application to what its record wants. Nil means nothing is left to do. The error's kind says what
// becomes of the wake-up: Invalid and Superseded are final, Unfinished has queued another, Busy says when to come back,
// anything else is tried again; last says that this try is the queue's last one.
func (d *Deploy) Sync(ctx context.Context, name app.Name, last bool) error {
	declared, err := d.Registry.Get(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return nil // no longer declared: what it applied stays, as with an Argo CD Application without a finalizer
	}
	if err != nil {
		return fmt.Errorf("read declaration of %s: %w", name, err)
	}
	rec, err := d.Records.Get(ctx, name)
	if fault.Is(err, fault.NotFound) {
		return nil // nothing was ever found for it: the sweep looks again
	}
	if err != nil {
		return fmt.Errorf("read record of %s: %w", name, err)
	}
	if !due(declared.Application, &rec) {
		return nil
	}
	r, err := d.lockAfterHeal(ctx, declared.Application)
	if err != nil {
		return err
	}
	defer r.broke(ctx, last)
	stop, cancel := context.WithDeadline(ctx, r.started.Add(d.Lease-closing))
	defer cancel()
	runErr := r.run(stop)
	return r.close(ctx, runErr, last)
}

// broke ends a run that panics as one that failed with a write in flight, and goes on panicking: without it the lock
// would be waited for, and a seq that always breaks be woken by every sweep (faults 17).
func (r *run) broke(ctx context.Context, last bool) {
	if p := recover(); p != nil {
		r.inFlight = true
		_ = r.close(ctx, fault.New(fault.Internal, "sync %s: a bug of ours: %T; the log has the stack", r.name, p), last)
		panic(p)
	}
}

// due reports whether there is something to apply: automated applications go to all that is wanted, the others to what
// a person has asked for. A seq that was given up is tried again if a wake-up comes: no sweep sends one, but a person
// does, and whoever redrives the dead letters once the cause is gone (faults 42).
func due(a app.Application, rec *record.Record) bool {
	w := rec.Wanted.Seq
	return w != 0 && (rec.Requested == w || a.Sync.Automated && rec.Done.Seq != w)
}

// run is one holder of the lock.
type run struct {
	*Deploy
	name     app.Name
	declared app.Application
	fence    uint64
	takeover uint64 // objects with an older fence annotation must be touched; 0: none
	started  time.Time

	rec      record.Record // as last read; its lock was ours then
	wanted   record.Wanted
	writes   int  // done so far: a run that has written nothing does not stop for time
	inFlight bool // a write ended without an answer
	report   record.Run
	done     *record.Done
}

// lockAfterHeal takes the lock, and waits for a heal that holds it: that is over in a moment, while a message that comes
// back waits for the whole lease.
func (d *Deploy) lockAfterHeal(ctx context.Context, a app.Application) (*run, error) {
	ctx, cancel := context.WithTimeout(ctx, d.Lease)
	defer cancel()
	tick := time.NewTicker(healTick)
	defer tick.Stop()
	for end := time.Now().Add(healLease); ; {
		r, err := d.lock(ctx, a, false)
		if !fault.Is(err, fault.Busy) || time.Now().After(end) {
			return r, err
		}
		if rec, getErr := d.Records.Get(ctx, a.Key()); getErr != nil || rec.Lock.Owner != "" && !rec.Lock.Heal {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-tick.C:
		}
	}
}

func (d *Deploy) lock(ctx context.Context, a app.Application, heal bool) (*run, error) {
	now, name, lease := time.Now(), a.Key(), d.Lease
	if heal {
		lease = healLease
	}
	rec, err := d.Records.Update(ctx, name, func(r *record.Record) error {
		if err := r.Take(d.Owner, now, now.Add(lease)); err != nil {
			return err
		}
		r.Lock.Heal = heal
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("take lock: %w", err)
	}
	return &run{Deploy: d, name: name, declared: a, fence: rec.Lock.Fence, takeover: rec.Lock.Takeover, started: now, rec: rec, wanted: rec.Wanted,
		report: record.Run{Fence: rec.Lock.Fence, Started: now}}, nil
}

// run does the work up to, not including, the record: prepare, list, look again, plan, try, apply, prune.
func (r *run) run(ctx context.Context) error {
	for range restarts {
		r.report.Seq, r.report.Revs, r.report.Forced = r.wanted.Seq, r.wanted.Revs, r.wanted.Forced
		want, err := r.open(ctx, r.name, r.wanted.Digest, r.note)
		if err != nil {
			return err
		}
		live, err := r.look(ctx, want)
		if err != nil {
			return err
		}
		if r.rec.Wanted.Seq != r.wanted.Seq { // rule 10: something newer is wanted by now
			if !due(r.declared, &r.rec) {
				return fault.New(fault.Superseded, "sync %s: a newer revision is wanted by now, and nobody has asked for that one", r.name)
			}
			r.wanted, r.report.Notes = r.rec.Wanted, nil
			continue
		}
		p, err := r.plan(ctx, want, live)
		if err != nil {
			return err
		}
		return r.execute(ctx, want, p)
	}
	return fault.New(fault.Unfinished, "sync %s: a newer revision was wanted %d times while it rendered", r.name, restarts)
}

// execute is the part that writes.
func (r *run) execute(ctx context.Context, want *desired, p *plan) error {
	if err := r.try(ctx, want, p); err != nil {
		return err
	}
	if err := r.widen(ctx, want, p); err != nil {
		return err
	}
	err := r.change(ctx, want, p)
	if fault.Is(err, fault.Superseded) {
		return err
	}
	if began := r.begin(ctx, want, p); err == nil {
		err = began
	}
	if err != nil {
		return err
	}
	return r.save(ctx, want, p)
}

func (r *run) change(ctx context.Context, want *desired, p *plan) error {
	if err := r.apply(ctx, want, p); err != nil {
		return err
	}
	if err := r.prune(ctx, p); err != nil { // rule 13: only after all applies of this run
		return err
	}
	return r.register(ctx, p.registry)
}

// holds is the consistent read before a first write and after a 409 (rules 10 and 12).
func (r *run) holds(ctx context.Context) error {
	rec, err := r.Records.Get(ctx, r.name)
	if fault.Is(err, fault.NotFound) { // the record was lost: so is the lock
		return gone(r.name)
	}
	if err != nil {
		return fmt.Errorf("read record of %s: %w", r.name, err)
	}
	return rec.Holds(r.fence)
}

// note adds to what the record says of this run. Calls of one run must not overlap.
func (r *run) note(format string, args ...any) {
	r.report.Notes = append(r.report.Notes, manifest.CleanText(fmt.Sprintf(format, args...), noteCap))
}

func gone(name app.Name) error {
	return fault.New(fault.Superseded, "sync %s: its record is gone", name)
}
