package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"slipway/internal/app"
	"slipway/internal/drift"
)

// watched is how a child is that watches.
type watched struct {
	Goroutines int
	Heap       float64 // in use, MiB
	Read       int64   // records and registrations
	Runs       int     // that have ended
	Healed     int     // by those
	Failed     []string
}

// watching starts a run of watch mode each minute, as the schedule does; each asks the one before it for the lease.
type watching struct {
	drift   *drift.Drift
	cluster app.Cluster
	read    *reads
	work    sync.WaitGroup

	mu sync.Mutex
	watched
}

// watchOn begins to watch. Each turn of it says how it is; end has the run that is at work hand over, and waits for it.
func watchOn(ctx context.Context, c app.Cluster, dir string) (once func(context.Context) (turn, error), end func(), err error) {
	d, n, err := drifter(c, dir)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &watching{drift: d, cluster: c, read: n}
	w.work.Go(func() {
		for t := time.NewTicker(watchTurn); ; {
			w.work.Go(func() { w.run(ctx) })
			select {
			case <-t.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return w.turn, func() { cancel(); w.work.Wait() }, nil
}

func (w *watching) run(ctx context.Context) {
	rep, err := w.drift.Watch(ctx, w.cluster, drift.WatchLimit)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Runs++
	w.Healed += rep.Healed
	if err != nil {
		w.Failed = append(w.Failed, err.Error())
	}
	if rep.Fallback != "" {
		w.Failed = append(w.Failed, fmt.Sprintf("only swept: %s", rep.Fallback))
	}
}

func (w *watching) turn(context.Context) (turn, error) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.watched
	now.Goroutines, now.Heap, now.Read = runtime.NumGoroutine(), float64(m.HeapAlloc)/(1<<20), w.read.Load()
	return turn{Watched: now}, nil
}
