package local

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"slipway/internal/app"
	"slipway/internal/git/hook"
	"slipway/internal/invoke"
	"slipway/internal/queue"
	"slipway/internal/record"
	"slipway/internal/revision"
	"slipway/internal/secret"
)

// Times of the functions that this process stands for (design.md 5).
const (
	fetchTimeout = 130 * time.Second
	syncTimeout  = 120 * time.Second
)

// Workers are how many invocations run at once; on a machine of one's own more only get in each other's way.
const (
	fetchWorkers = 2
	syncWorkers  = 4
)

const hookPath = invoke.GitHubRoute

// handler routes what comes in: webhooks through the event that Lambda would get, clients, git.
func (l *Local) handler(ctx context.Context, git http.Handler) (http.Handler, error) {
	h, err := hook.New(ctx, hook.Static(secret.Key{ID: "current", Value: secret.Of(l.keys.Webhook)}), 0)
	if err != nil {
		return nil, fmt.Errorf("open webhook: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/hooks/", invoke.HTTP{Hook: h, Queue: l.queues.moves, Log: l.log})
	mux.Handle("/v1/", l.api())
	mux.Handle("/", git)
	return local(mux), nil
}

// begin registers the root, takes the locks from whoever died with this folder open, and starts the work.
func (l *Local) begin(ctx context.Context, o Options) error {
	if err := l.recover(ctx); err != nil {
		return err
	}
	if err := l.registerRoot(ctx, o.Root); err != nil {
		return err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx)) // Stop ends it, in its turn
	l.closers = append(l.closers, func() { cancel(); l.work.Wait() })
	l.work.Go(func() {
		invoke.Poller{Queue: l.queues.moves, Workers: fetchWorkers, Timeout: fetchTimeout, Log: l.log, Handle: invoke.SQS[revision.Move]{
			Name: "fetch", Delayer: l.queues.moves, MaxReceives: movesReceives, Log: l.log,
			Handler: func(ctx context.Context, m revision.Move, _ invoke.Attempt) error { return l.fetch.Move(ctx, m) },
		}.Handle}.Run(run)
	})
	l.work.Go(func() {
		invoke.Poller{Queue: l.queues.syncs, Workers: syncWorkers, Timeout: syncTimeout, Log: l.log, Handle: invoke.SQS[app.Wake]{
			Name: "sync", Delayer: l.queues.syncs, MaxReceives: syncsReceives, Log: l.log,
			Handler: func(ctx context.Context, w app.Wake, a invoke.Attempt) error {
				return l.deploy.Sync(ctx, w.Application, a.Last)
			},
		}.Handle}.Run(run)
	})
	l.schedules(run, o)
	return nil
}

// recover ends the leases that the last process of this folder left, on applications and on the watches of clusters: the
// state file lets in one process at a time, so their holders are dead.
func (l *Local) recover(ctx context.Context) error {
	all, err := l.stores.Records.List(ctx)
	if err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	for _, r := range all {
		if r.Lock.Owner == "" {
			continue
		}
		if _, err := l.stores.Records.Update(ctx, app.Name(r.Application), func(r *record.Record) error { r.Expire(); return nil }); err != nil {
			return fmt.Errorf("end lease of %s: %w", r.Application, err)
		}
	}
	return nil
}

// registerRoot declares --root; without it the root of the last start stays.
func (l *Local) registerRoot(ctx context.Context, flag string) error {
	if flag == "" {
		return nil
	}
	a, err := root(flag)
	if err != nil {
		return err
	}
	return l.stores.Registry.Put(ctx, app.Registered{Application: a})
}

// deadLetter tells of a message that was put aside.
func (l *Local) deadLetter(name string) func(queue.Message) {
	return func(m queue.Message) {
		l.log.Error("dead letter", "queue", name, "id", m.ID, "receives", m.Receives, "message", m.Body)
	}
}
