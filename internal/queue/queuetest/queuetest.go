// Package queuetest is the contract that every queue keeps, as tests: the memory queue's and SQS's alike.
package queuetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"slipway/internal/queue"
)

// Config is what a case needs of its queue.
type Config struct {
	Visibility  time.Duration
	MaxReceives int
}

// Options say how the suite runs against one kind of queue.
type Options struct {
	// New makes an empty queue of its own for the test.
	New func(t *testing.T, c Config) queue.Queue
	// Dead are the dead letters of a queue that New made.
	Dead func(t *testing.T, q queue.Queue) []queue.Message
	// Case runs one case; a queue in this process runs it in a synctest bubble. Nil: it is just called.
	Case func(t *testing.T, f func(t *testing.T))
	// Visibility is the shortest timeout that the queue can have, in whole seconds for SQS.
	Visibility time.Duration
	// Window waits until a deduplication window that began just now is over. Nil: five real minutes are too long, and
	// the end of the window is not part of the run.
	Window func()
}

// Run runs the whole contract.
func Run(t *testing.T, o Options) {
	t.Helper()
	cases := []struct {
		name string
		f    func(t *testing.T, s suite)
	}{
		{"a group is first in, first out", inOrder},
		{"one message of a group is in flight at a time", oneInFlight},
		{"groups do not wait for each other", apart},
		{"a batch keeps each group in order", batches},
		{"a message that was not deleted comes again, and its group waits", redelivery},
		{"a deleted message never comes again", deleted},
		{"a delay of 0 brings a message back at once, before its successors", back},
		{"a delay replaces the visibility timeout", delayed},
		{"a receipt from before a redelivery is refused", stale},
		{"a message is put aside after its last receive, and the group goes on", deadLetters},
		{"the same deduplication id within the window is one message", duplicates},
		{"messages without a deduplication id are never the same", distinct},
		{"any text is a group, a deduplication id and a body", anyText},
		{"a body that is too long is refused and nothing is queued", tooLong},
		{"a negative or endless delay is refused", badDelay},
		{"receive waits for a message", waits},
		{"receive ends with its context", ends},
		{"many workers never hold two of a group and lose nothing", workers},
	}
	if o.Window != nil {
		cases = append(cases, struct {
			name string
			f    func(t *testing.T, s suite)
		}{"the same deduplication id after the window is another message", afterWindow})
	}
	if o.Case == nil {
		o.Case = func(t *testing.T, f func(t *testing.T)) { t.Helper(); f(t) }
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o.Case(t, func(t *testing.T) { c.f(t, suite{Options: o}) })
		})
	}
}

type suite struct{ Options }

func (s suite) queue(t *testing.T) handle {
	t.Helper()
	return s.with(t, Config{Visibility: 30 * s.Visibility, MaxReceives: 3})
}

func (s suite) with(t *testing.T, c Config) handle {
	t.Helper()
	return handle{Queue: s.New(t, c), t: t, short: s.Visibility / 2, long: 10*s.Visibility + 5*time.Second}
}

// handle is a queue whose calls fail the test instead of returning errors.
type handle struct {
	queue.Queue
	t           *testing.T
	short, long time.Duration
}

func (h handle) send(group, dedup, body string) {
	h.t.Helper()
	if err := h.Send(h.t.Context(), group, dedup, body); err != nil {
		h.t.Fatalf("send %.80q to %.80q: %v", body, group, err)
	}
}

// next is the next message, which must come within the long wait and have this body.
func (h handle) next(body string) queue.Message {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), h.long)
	defer cancel()
	got, err := h.Receive(ctx, 1)
	if err != nil {
		h.t.Fatalf("receive %.80q: %v", body, err)
	}
	if len(got) != 1 || got[0].Body != body {
		h.t.Fatalf("received %+v, want one message %.80q", got, body)
	}
	return got[0]
}

// nothing checks that no message is handed out for a short while.
func (h handle) nothing() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), h.short)
	defer cancel()
	got, err := h.Receive(ctx, queue.MaxBatch)
	if len(got) > 0 || !errors.Is(err, context.DeadlineExceeded) {
		h.t.Fatalf("received %+v, %v, want nothing before the deadline", got, err)
	}
}

func (h handle) delete(m queue.Message) {
	h.t.Helper()
	if err := h.Delete(h.t.Context(), m.Receipt); err != nil {
		h.t.Fatalf("delete %.80q: %v", m.Body, err)
	}
}

func (h handle) delay(m queue.Message, d time.Duration) {
	h.t.Helper()
	if err := h.Delay(h.t.Context(), m.Receipt, d); err != nil {
		h.t.Fatalf("delay %.80q by %s: %v", m.Body, d, err)
	}
}
