package local

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"slipway/internal/app"
	"slipway/internal/invoke"
	"slipway/internal/invoke/driftevent"
)

// Times of the schedules and of what they start (design.md 3 and 5).
const (
	driftEvery    = time.Minute
	driftTimeout  = 3 * time.Minute // a watch ends after 150 s and hands over
	branchEvery   = 5 * time.Minute
	branchTimeout = 4 * time.Minute
)

// schedules starts what EventBridge Scheduler would, by the same events.
func (l *Local) schedules(ctx context.Context, o Options) {
	h := driftevent.Handler{Clusters: l.clusters, Drift: l.drift, Rollouts: l.rollouts, Log: l.log}
	drifts := &invoker{
		ctx: ctx, timeout: driftTimeout, work: &l.work, running: map[string]int{},
		handle: func(ctx context.Context, event json.RawMessage) { _, _ = h.Handle(ctx, event) }, // it has logged what came out
	}
	tasks := invoke.Schedule{Log: l.log, Tasks: map[string]func(context.Context) error{
		invoke.TaskDrift:    invoke.Dispatch{Clusters: names(l.clusters), Drift: drifts}.Run,
		invoke.TaskBranches: l.fetch.Sweep,
	}}
	l.work.Go(func() { every(ctx, period(o.Drift, driftEvery), driftTimeout, tasks.Handle, invoke.TaskDrift) })
	l.work.Go(func() { every(ctx, period(o.Sweep, branchEvery), branchTimeout, tasks.Handle, invoke.TaskBranches) })
}

// every sends a schedule's event at once and then each period until ctx ends.
func every(ctx context.Context, period, timeout time.Duration, handle func(context.Context, json.RawMessage) error, task string) {
	event := json.RawMessage(`{"task":"` + task + `"}`)
	t := time.NewTicker(period)
	defer t.Stop()
	for ctx.Err() == nil {
		once, cancel := context.WithTimeout(ctx, timeout)
		_ = handle(once, event) // it has logged its error, and the next turn tries again
		cancel()
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
}

// invoker is Lambda's asynchronous invocation where there is none: each event in a goroutine of its own, without retries.
type invoker struct {
	ctx     context.Context // an invocation outlives the call that asks for it; this ends them all
	handle  func(ctx context.Context, event json.RawMessage)
	timeout time.Duration
	work    *sync.WaitGroup

	mu      sync.Mutex
	running map[string]int // by event
}

// atOnce is how many invocations of one event run: one that is at work, and its successor. Were the period shorter than
// a run, more would only queue behind the successor, which has yet to look.
const atOnce = 2

// Invoke implements invoke.Invoker.
func (i *invoker) Invoke(_ context.Context, event []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	key := string(event)
	if i.running[key] == atOnce {
		return nil
	}
	i.running[key]++
	i.work.Go(func() { //nolint:contextcheck // it outlives the call
		ctx, cancel := context.WithTimeout(i.ctx, i.timeout)
		defer cancel()
		i.handle(ctx, event)
		i.mu.Lock()
		defer i.mu.Unlock()
		i.running[key]--
	})
	return nil
}

func period(set, usual time.Duration) time.Duration {
	if set > 0 {
		return set
	}
	return usual
}

func names(clusters []app.Cluster) []string {
	out := make([]string, len(clusters))
	for i, c := range clusters {
		out[i] = c.Name
	}
	return out
}
