package local

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/drift"
	"slipway/internal/fetch"
	"slipway/internal/invoke"
	"slipway/internal/invoke/driftevent"
	"slipway/internal/record"
)

// runs counts invocations by event: those that have begun and those that have ended.
type runs struct {
	mu           sync.Mutex
	begun, ended map[string]int
}

func (r *runs) begin(event json.RawMessage) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun[string(event)]++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ended[string(event)]++
	}
}

func (r *runs) are(t *testing.T, when string, begun, ended map[string]int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if d := cmp.Diff([]map[string]int{begun, ended}, []map[string]int{maps.Clone(r.begun), maps.Clone(r.ended)}); d != "" {
		t.Errorf("%s: begun and ended: -want +got:\n%s", when, d)
	}
}

func TestAnInvocationRunsBesideItsSuccessorAndNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &runs{begun: map[string]int{}, ended: map[string]int{}}
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		i := &invoker{ctx: ctx, timeout: time.Minute, work: &work, running: map[string]int{}, handle: func(ctx context.Context, event json.RawMessage) {
			defer r.begin(event)()
			<-ctx.Done()
		}}
		invoke := func(event string) {
			called, done := context.WithCancel(t.Context())
			defer done() // what was invoked goes on when the caller is done
			if err := i.Invoke(called, []byte(event)); err != nil {
				t.Error(err)
			}
		}
		for range 3 {
			invoke("a")
		}
		invoke("b")
		synctest.Wait()
		r.are(t, "a third of one cluster", map[string]int{"a": 2, "b": 1}, map[string]int{})
		time.Sleep(time.Minute)
		synctest.Wait()
		r.are(t, "after the function's timeout", map[string]int{"a": 2, "b": 1}, map[string]int{"a": 2, "b": 1})
		invoke("a")
		synctest.Wait()
		r.are(t, "the next one", map[string]int{"a": 3, "b": 1}, map[string]int{"a": 2, "b": 1})
		cancel()
		work.Wait()
		r.are(t, "stopped", map[string]int{"a": 3, "b": 1}, map[string]int{"a": 3, "b": 1})
	})
}

func TestAScheduleIsDueAtOnceAndThenEachPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		begin := time.Now()
		var at []time.Duration
		every(ctx, time.Minute, 2*time.Minute, func(ctx context.Context, event json.RawMessage) error {
			if string(event) != `{"task":"drift"}` {
				t.Errorf("event %s", event)
			}
			at = append(at, time.Since(begin))
			switch len(at) {
			case 2: // it takes longer than the period, and is cut off
				<-ctx.Done()
				return ctx.Err()
			case 4:
				cancel()
			}
			return nil
		}, invoke.TaskDrift)
		if d := cmp.Diff([]time.Duration{0, time.Minute, 3 * time.Minute, 4 * time.Minute}, at); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	})
}

// quiet is drift in clusters where nothing happens.
type quiet struct{}

func (quiet) Sweep(_ context.Context, c app.Cluster) (drift.Report, error) {
	return drift.Report{Cluster: c.Name}, nil
}

func (quiet) Watch(_ context.Context, c app.Cluster, _ time.Duration) (drift.Report, error) {
	return drift.Report{Cluster: c.Name}, nil
}

func (quiet) Tick(context.Context, string) error { return nil }

// rollouts are those of clusters where nothing happens.
type rollouts struct{ quiet }

func (rollouts) Watch(ctx context.Context, _ string) error {
	<-ctx.Done()
	return nil
}

func TestTheEventsOfTheScheduleReachTheirHandlers(t *testing.T) {
	l := &Local{log: slog.New(slog.NewTextHandler(io.Discard, nil)), clusters: []app.Cluster{{Name: "in-cluster"}, {Name: "edge", Drift: app.DriftWatch}}}
	got := make(chan string, 2)
	d := invoke.Dispatch{Clusters: names(l.clusters), Drift: &invoker{ctx: t.Context(), timeout: time.Minute, work: &l.work, running: map[string]int{},
		handle: func(ctx context.Context, event json.RawMessage) {
			out, err := driftevent.Handler{Clusters: l.clusters, Drift: quiet{}, Rollouts: rollouts{}, Log: l.log}.Handle(ctx, event)
			if err != nil {
				t.Error(err)
			}
			got <- out.Cluster + " " + string(out.Mode)
		}}}
	s := invoke.Schedule{Log: l.log, Tasks: map[string]func(context.Context) error{invoke.TaskDrift: d.Run}}
	if err := s.Handle(t.Context(), json.RawMessage(`{"task":"drift"}`)); err != nil {
		t.Fatal(err)
	}
	l.work.Wait()
	seen := map[string]bool{<-got: true, <-got: true}
	if d := cmp.Diff(map[string]bool{"in-cluster sweep": true, "edge watch": true}, seen); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

// A cluster's watch lease lies among the records, under a name that no application can have.
func TestTheLeaseOfAWatchIsNoApplication(t *testing.T) {
	l, c := served(t)
	l.declare(t, "shop")
	now := time.Now()
	if _, err := l.stores.Records.Update(t.Context(), "watch:in-cluster", func(r *record.Record) error { return r.Take("watch", now, now.Add(time.Hour)) }); err != nil {
		t.Fatal(err)
	}
	if all, err := c.Applications(t.Context()); err != nil || len(all) != 1 || all[0].Name != "argocd/shop" {
		t.Errorf("listed are %+v, %v", all, err)
	}
	if a, err := c.Application(t.Context(), "watch:in-cluster"); err == nil {
		t.Errorf("shown is %+v", a)
	}
	if err := l.stores.Registry.Remove(t.Context(), "argocd/shop"); err != nil { // nothing to ask a git host for
		t.Fatal(err)
	}
	if err := fetch.New(fetch.Deps{Records: l.stores.Records, Registry: l.stores.Registry, Notes: l.stores.Notes, Queue: l.queues}).Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if n := l.queues.syncs.Len() + l.queues.moves.Len(); n != 0 {
		t.Errorf("%d messages were queued", n)
	}
	if err := l.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.stores.Records.Update(t.Context(), "watch:in-cluster", func(r *record.Record) error { return r.Take("watch", now, now.Add(time.Hour)) }); err != nil {
		t.Errorf("the next process waits for the dead one's lease: %v", err)
	}
}
