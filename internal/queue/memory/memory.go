// Package memory is a queue in this process, with the ordering, redelivery and dead letters of SQS FIFO. What it holds
// is gone when the process ends; the sweep wakes again whatever is wanted and not done.
package memory

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"slipway/internal/fault"
	"slipway/internal/queue"
)

// Options say how a queue behaves. The zero value of each field is the default.
type Options struct {
	Visibility  time.Duration       // how long a delivery may take before the message comes again; 30 s
	MaxReceives int                 // deliveries before a message is put aside; 6
	Capacity    int                 // messages held at once, in flight ones counted; 10,000
	Dead        func(queue.Message) // told of each message that is put aside; must not call the queue
}

// Caps that bound memory: dead letters that are kept, and deduplication ids remembered for each message of capacity.
const (
	deadCap    = 1000
	seenFactor = 10
)

// Queue is safe for use by many goroutines. Make it with New.
type Queue struct {
	opts Options

	mu       sync.Mutex
	groups   map[string]*group
	ready    []*group // groups whose first message may be handed out, the longest waiting first
	inFlight map[string]*message
	held     int
	seen     map[string]time.Time
	seenAt   []string // the keys of seen, oldest first
	dead     []queue.Message
	wake     chan struct{} // closed and replaced when a group becomes ready
}

type group struct {
	id       string
	messages []*message // the first is the one in flight, if any is
}

type message struct {
	queue.Message
	group *group
	timer *time.Timer // runs while in flight
}

// New makes an empty queue.
func New(o Options) *Queue {
	if o.Visibility <= 0 {
		o.Visibility = 30 * time.Second
	}
	if o.MaxReceives <= 0 {
		o.MaxReceives = 6
	}
	if o.Capacity <= 0 {
		o.Capacity = 10_000
	}
	return &Queue{opts: o, groups: map[string]*group{}, inFlight: map[string]*message{}, seen: map[string]time.Time{}, wake: make(chan struct{})}
}

// Send implements queue.Sender. A full queue is Unavailable.
func (q *Queue) Send(ctx context.Context, name, dedup, body string) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Unavailable, err)
	}
	if len(body) > queue.MaxBody {
		return fault.New(fault.Invalid, "send message of %d bytes: at most %d", len(body), queue.MaxBody)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held >= q.opts.Capacity {
		return fault.New(fault.Unavailable, "send message: the queue is full with %d messages", q.held)
	}
	if !q.first(queue.DedupID(dedup)) {
		return nil
	}
	id := queue.GroupID(name)
	g := q.groups[id]
	if g == nil {
		g = &group{id: id}
		q.groups[id] = g
	}
	g.messages = append(g.messages, &message{Message: queue.Message{ID: rand.Text(), Group: id, Body: body}, group: g})
	q.held++
	if len(g.messages) == 1 {
		q.show(g)
	}
	return nil
}

// first remembers a deduplication id and reports whether it is new within the window.
func (q *Queue) first(dedup string) bool {
	now := time.Now()
	for len(q.seenAt) > 0 && (now.Sub(q.seen[q.seenAt[0]]) >= queue.DedupWindow || len(q.seenAt) >= seenFactor*q.opts.Capacity) {
		delete(q.seen, q.seenAt[0])
		q.seenAt = q.seenAt[1:]
	}
	if _, ok := q.seen[dedup]; ok {
		return false
	}
	q.seen[dedup] = now
	q.seenAt = append(q.seenAt, dedup)
	return true
}

// show puts a group at the end of those that can be handed out, and wakes who waits.
func (q *Queue) show(g *group) {
	q.ready = append(q.ready, g)
	close(q.wake)
	q.wake = make(chan struct{})
}

// Receive implements queue.Receiver. It hands out at most one message of a group.
func (q *Queue) Receive(ctx context.Context, limit int) ([]queue.Message, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		got, wake := q.take(min(max(limit, 1), queue.MaxBatch))
		if len(got) > 0 {
			return got, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-wake:
		}
	}
}

func (q *Queue) take(limit int) ([]queue.Message, <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var got []queue.Message
	for len(q.ready) > 0 && len(got) < limit {
		g := q.ready[0]
		q.ready = q.ready[1:]
		m := g.messages[0]
		m.Receives++
		m.Receipt = rand.Text()
		q.inFlight[m.Receipt] = m
		q.expire(m, q.opts.Visibility)
		got = append(got, m.Message)
	}
	return got, q.wake
}
