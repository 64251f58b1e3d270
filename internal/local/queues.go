package local

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"slipway/internal/app"
	"slipway/internal/invoke"
	"slipway/internal/queue"
	"slipway/internal/queue/memory"
	"slipway/internal/revision"
)

// What the queues of the template have (design.md 5): a sync's visibility is longer than its lease and grace, so that a
// busy lock is not met again by the same message; a move's is longer than a move may take. A host that lags behind its
// own webhook costs a move up to eight receives, and a force-push one more.
const (
	movesVisibility = 150 * time.Second
	movesReceives   = 10
	syncsVisibility = 170 * time.Second
	syncsReceives   = 6
)

// queues are moves.fifo and syncs.fifo.
type queues struct {
	moves, syncs *memory.Queue
}

func newQueues(dead func(name string) func(queue.Message)) *queues {
	return &queues{
		moves: memory.New(memory.Options{Visibility: movesVisibility, MaxReceives: movesReceives, Dead: dead("moves")}),
		syncs: memory.New(memory.Options{Visibility: syncsVisibility, MaxReceives: syncsReceives, Dead: dead("syncs")}),
	}
}

// Wake queues a wake-up of an application. It never counts as a duplicate: a derived id would drop a force-push back
// within five minutes (design.md 5).
func (q *queues) Wake(ctx context.Context, name app.Name) error {
	return send(ctx, q.syncs, string(name), "", app.Wake{Application: name})
}

// Move queues a look at a branch.
func (q *queues) Move(ctx context.Context, m revision.Move) error {
	return send(ctx, q.moves, invoke.MoveGroup(m), m.Delivery, m)
}

// Look queues a look at an application's branch, because its declaration is new or has changed.
func (q *queues) Look(ctx context.Context, a app.Application) error {
	src, err := a.From()
	if err != nil {
		return err
	}
	m := revision.Move{Repository: src.Repository, Ref: src.Ref, Delivery: "register " + string(a.Key()), Received: time.Now().UnixMilli()}
	return send(ctx, q.moves, invoke.MoveGroup(m), "", m)
}

func send(ctx context.Context, to queue.Sender, group, dedup string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	if err := to.Send(ctx, group, dedup, string(b)); err != nil {
		return fmt.Errorf("queue message for %s: %w", group, err)
	}
	return nil
}
