package deploy

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/fault"
)

// floor is the least time in which a write is begun: one call and its retries (kube's callTime). One that is cut off
// may still arrive, and makes the next run touch everything.
const floor = 10 * time.Second

// spread does n writes side by side and counts those that succeed. No more are begun once the fence is lost, once the
// cluster seems to be away, or once the time is nearly over (paused). A refusal of one lets the others go on.
func (r *run) spread(ctx context.Context, n int, do func(i int) error) (failed []error, paused error) {
	failed = make([]error, n)
	var mu sync.Mutex
	away, halted := 0, false
	begin := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if !halted && paused == nil {
			paused = r.pace(ctx)
		}
		return !halted && paused == nil
	}
	g := errgroup.Group{}
	g.SetLimit(parallel)
	for i := range n {
		g.Go(func() error {
			if !begin() {
				return nil
			}
			err := do(i)
			mu.Lock()
			defer mu.Unlock()
			if failed[i] = err; err == nil {
				r.writes++
				return nil
			}
			r.inFlight = r.inFlight || fault.IsInFlight(err)
			if fault.Is(err, fault.Unavailable) {
				away++
			}
			halted = halted || fault.Is(err, fault.Superseded) || away >= parallel
			return nil
		})
	}
	_ = g.Wait() // every error is in failed
	return failed, paused
}

// pace stops a run in order when its time is nearly over. With something achieved the next wake-up goes on at once;
// otherwise what came before took too long, and it would again.
func (r *run) pace(ctx context.Context) error {
	end, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	left := time.Until(end)
	switch {
	case r.writes > 0 && left < Margin:
		return fault.New(fault.Unfinished, "sync %s: its time is nearly over; %d writes are done, the next run goes on", r.name, r.writes)
	case left < floor:
		return fault.New(fault.Unavailable, "sync %s: no time is left for the first write: rendering, listing and trying took %s",
			r.name, time.Since(r.started).Round(time.Second))
	}
	return nil
}
