package memory

import (
	"context"
	"slices"
	"time"

	"slipway/internal/fault"
	"slipway/internal/queue"
)

// Delete implements queue.Receiver.
func (q *Queue) Delete(_ context.Context, receipt string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	m, err := q.holder(receipt, "delete")
	if err != nil {
		return err
	}
	m.timer.Stop()
	delete(q.inFlight, receipt)
	q.drop(m)
	return nil
}

// Delay implements queue.Receiver.
func (q *Queue) Delay(_ context.Context, receipt string, d time.Duration) error {
	if d < 0 || d > queue.MaxDelay {
		return fault.New(fault.Invalid, "delay message by %s: want 0 to %s", d, queue.MaxDelay)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	m, err := q.holder(receipt, "delay")
	if err != nil {
		return err
	}
	m.timer.Stop()
	if d == 0 {
		q.back(m)
		return nil
	}
	q.expire(m, d)
	return nil
}

// DeadLetters are the messages put aside, oldest first, the last thousand of them.
func (q *Queue) DeadLetters() []queue.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.dead)
}

// Len is how many messages are held, those in flight counted and dead letters not.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}

func (q *Queue) holder(receipt, verb string) (*message, error) {
	if m := q.inFlight[receipt]; m != nil {
		return m, nil
	}
	return nil, fault.New(fault.Conflict, "%s message: its receipt has expired", verb)
}

// expire lets m come back after d, unless it is deleted or delayed before.
func (q *Queue) expire(m *message, d time.Duration) {
	receipt := m.Receipt
	var self *time.Timer
	self = time.AfterFunc(d, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		// A timer that fired while Delay held the lock could not be stopped: it is no longer the message's own.
		if q.inFlight[receipt] == m && m.timer == self {
			q.back(m)
		}
	})
	m.timer = self
}

// back ends a delivery without success: the message is first in its group again, or put aside after too many.
func (q *Queue) back(m *message) {
	delete(q.inFlight, m.Receipt)
	if m.Receives < q.opts.MaxReceives {
		q.show(m.group)
		return
	}
	d := m.Message
	d.Receipt = ""
	q.dead = append(q.dead, d)
	if len(q.dead) > deadCap {
		q.dead = slices.Delete(q.dead, 0, len(q.dead)-deadCap)
	}
	q.drop(m)
	if q.opts.Dead != nil {
		q.opts.Dead(d)
	}
}

// drop takes m, the first of its group, out, and lets the group go on.
func (q *Queue) drop(m *message) {
	g := m.group
	g.messages[0] = nil
	g.messages = g.messages[1:]
	q.held--
	if len(g.messages) == 0 {
		delete(q.groups, g.id)
		return
	}
	q.show(g)
}
