package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// The services that a process calls.
const (
	toHost    = "host"
	toState   = "state"
	toCluster = "cluster"
	toQueue   = "queue"
)

// callTime is the longest that a request may take: the API server gives up with the client (kube's callTime).
const callTime = 10 * time.Second

// call is one request of a process.
type call struct {
	to, name string
	about    string   // the object or the application
	app      app.Name // whose it is, where it is one's
	write    bool     // to the cluster: an error may leave it in flight
}

func (c call) String() string { return c.name + " " + c.about }

var errGone = errors.New("the process is gone")

// fate is what becomes of one request.
type fate struct {
	there, back time.Duration
	refused     error         // instead of the effect
	lost        bool          // the effect, and an error instead of the answer
	late        time.Duration // the effect comes when the client has heard that its connection broke, within callTime
}

// fate is decided by the seed and the request, not by the order in which goroutines get here.
func (w *world) fate(key string, c call) fate {
	f := fate{there: w.dice.within(time.Millisecond, 20*time.Millisecond, key, "there"), back: w.dice.within(time.Millisecond, 20*time.Millisecond, key, "back")}
	if w.failing(c) {
		f.there = w.dice.within(callTime/2, callTime, key, "failing")
		f.refused = fault.New(fault.Unavailable, "%s: no answer", c.name)
		return f
	}
	if w.quiet {
		return f
	}
	if w.dice.chance(w.temper.slow, key, "slow") {
		f.there = w.dice.within(time.Second, callTime*4/5, key, "slow")
	}
	p := map[string]float64{toHost: w.temper.host, toState: w.temper.state, toCluster: w.temper.cluster, toQueue: w.temper.state}[c.to]
	if !w.dice.chance(p, key, "error") {
		return f
	}
	switch kind := w.dice.below(4, key, "kind of error"); {
	case c.to == toHost && kind == 0, c.to == toCluster && kind == 0: // 429, and the reset is some time away
		f.refused = fault.Later(fault.Unavailable, w.dice.within(time.Second, 30*time.Second, key, "after"), fmt.Errorf("%s: too many requests", c.name))
	case kind <= 1: // throttled, 503
		f.refused = fault.New(fault.Unavailable, "%s: try again later", c.name)
	case kind == 2 && c.write:
		f.late = w.dice.within(0, callTime-f.there, key, "late")
	default:
		f.lost = true
	}
	return f
}

// call does one request: the way there, the effect at one instant of its own, the way back. A context that ends on the way
// back, or a process that is paused before the effect, does not take the effect back.
func (p *process) call(ctx context.Context, c call, effect func(key string) error) error {
	key := invocationOf(ctx).key(c.name + c.about)
	if err := p.gate(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	f := p.fate(key, c)
	p.mu.Unlock()
	if err := p.travel(ctx, f.there, key); err != nil {
		return cmp.Or(p.gate(key), err)
	}
	do := func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		return effect(key)
	}
	switch p.strike(key, c, invocationOf(ctx)) { //nolint:contextcheck // what the nemesis does outlives the call
	case dieBefore:
		return errGone
	case dieAfter:
		_ = do()
		return errGone
	case live:
	}
	if err := p.gate(key); err != nil {
		return err
	}
	var err error
	switch {
	case f.refused != nil:
		err = f.refused
		p.log("%s: %s: %v", p.name, c, err)
	case f.late > 0:
		p.log("%s: %s will come %s late", p.name, c, f.late)
		p.background.Go(func() { time.Sleep(f.late); _ = do() })
		p.background.Go(func() { p.undo(c.app, key) })
		f.lost = true
	default:
		err = do()
	}
	way := p.travel(ctx, f.back, key)
	if gone := p.gate(key); gone != nil {
		return gone
	}
	switch {
	case way == nil && !f.lost:
		return err
	case way == nil:
		way = fault.New(fault.Unavailable, "%s: its answer was lost", c.name)
	}
	p.log("%s: %s: %v", p.name, c, way)
	if c.write {
		return fault.Wrap(fault.Unavailable, fault.InFlight(way))
	}
	return way
}

// travel lets time go by. Calls that one context ends do not end at the same instant.
func (p *process) travel(ctx context.Context, d time.Duration, key string) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		time.Sleep(p.within(0, time.Millisecond, key, "notice"))
		return ctx.Err()
	}
}

func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
