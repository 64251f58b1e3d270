package sim

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"slipway/internal/fault"
	"slipway/internal/queue"
	"slipway/internal/queue/memory"
)

// line is one of the two queues: the product's memory queue, and the copies that a queue which delivers at least once may
// hand to a second worker at the same time.
type line struct {
	*world
	name       string
	visibility time.Duration
	receives   int
	queue      *receiver
	copies     *receiver
	sent       int
	running    map[string][]*invocation // by group
	holders    map[string]*invocation   // by receipt
	base       *memory.Queue
}

// receiver lets one worker at a time wait at a queue, so that not the scheduler decides who gets the next message.
type receiver struct {
	queue.Receiver
	name     string
	turn     chan struct{}
	received int
}

func (w *world) line(name string, visibility time.Duration, receives int) *line {
	l := &line{world: w, name: name, visibility: visibility, receives: receives, running: map[string][]*invocation{}, holders: map[string]*invocation{}}
	l.base = memory.New(memory.Options{Visibility: visibility, MaxReceives: receives, Dead: func(m queue.Message) { w.log("dead letter of %s: %s", name, m.Body) }})
	l.queue = &receiver{Receiver: l.base, name: name, turn: make(chan struct{}, 1)}
	l.copies = &receiver{Receiver: copies{make(chan queue.Message, 100)}, name: "copies of " + name, turn: make(chan struct{}, 1)}
	return l
}

// send is called with the world locked.
func (l *line) send(group, dedup string, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	l.log("queued for %s: %s", group, b)
	l.sent++
	return l.base.Send(l.ctx, group, dedup, string(b))
}

// copies is a queue of messages whose receipts are not their own: whatever is done with one is refused.
type copies struct{ messages chan queue.Message }

func (c copies) Receive(ctx context.Context, _ int) ([]queue.Message, error) {
	if ctx.Err() != nil { // or a dead process takes a message, now and then
		return nil, ctx.Err()
	}
	select {
	case m := <-c.messages:
		return []queue.Message{m}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (copies) Delete(context.Context, string) error {
	return fault.New(fault.Conflict, "delete message: its receipt has expired")
}

func (copies) Delay(context.Context, string, time.Duration) error {
	return fault.New(fault.Conflict, "delay message: its receipt has expired")
}

// mailbox is a queue as one process reaches it.
type mailbox struct {
	*process
	line *line
	from *receiver
}

func (m mailbox) Receive(ctx context.Context, _ int) ([]queue.Message, error) {
	select {
	case m.from.turn <- struct{}{}:
		defer func() { <-m.from.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	got, err := m.from.Receive(ctx, 1)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, msg := range got {
		m.from.received++
		id := m.from.name + " " + number(m.from.received)
		c, ok := m.from.Receiver.(copies)
		if ok {
			got[i].Receipt = id // it may be handed out more than once
		}
		m.line.holders[got[i].Receipt] = m.invocation(id, m.line.name+" "+msg.Body, msg.Group, msg.Receives)
		if msg.Receives > m.line.receives {
			m.history.breaks("I9", "%s was received %d times, %d are the most", msg.Body, msg.Receives, m.line.receives)
		}
		if c, ok = m.line.copies.Receiver.(copies); ok && m.from == m.line.queue && !m.quiet && m.dice.chance(m.temper.copies, id, "copy") {
			after := m.dice.within(time.Millisecond, 20*time.Second, id, "copy after")
			m.background.Go(func() { time.Sleep(after); c.messages <- msg })
		}
	}
	return got, nil
}

func (m mailbox) Delete(ctx context.Context, receipt string) error {
	m.mu.Lock()
	ctx = context.WithValue(ctx, invocationKey{}, m.line.holders[receipt])
	m.mu.Unlock()
	return m.call(ctx, call{to: toQueue, name: "acknowledge", about: m.line.name}, func(string) error { return m.from.Delete(ctx, receipt) })
}

// longestPause is invoke's.
const longestPause = time.Minute

// Delay spreads as the product does, by the seed: the product's own dice cannot be thrown again.
func (m mailbox) Delay(ctx context.Context, receipt string, d time.Duration) error {
	return m.call(ctx, call{to: toQueue, name: "delay", about: m.line.name}, func(key string) error {
		inv := invocationOf(ctx)
		inv.over = true
		if !inv.later && d > 0 {
			pause := min(time.Second<<min(inv.receives-1, 30), longestPause)
			if d > 2*longestPause { // it is longer than was thought
				pause = d.Truncate(longestPause)
			}
			d = pause + m.dice.within(0, pause/4, key, "jitter")
		}
		return m.from.Delay(ctx, receipt, d)
	})
}

type handler = func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

// handled lets the history see each invocation.
func (m mailbox) handled(handle handler) handler {
	return func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
		m.mu.Lock()
		inv := m.line.holders[e.Records[0].ReceiptHandle]
		if m.from == m.line.queue {
			m.history.begins(inv, m.line)
		}
		m.log("%s begins %s%s", m.name, inv.what, either(m.from == m.line.queue, "", ", a copy"))
		m.mu.Unlock()
		defer func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.history.ends(inv, m.line)
		}()
		return handle(context.WithValue(ctx, invocationKey{}, inv), e)
	}
}
