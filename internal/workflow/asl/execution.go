package asl

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"slipway/internal/fault"
	"slipway/internal/workflow"
)

// execution is a running execution: its cursor, and the one timer that wakes it. All of it is under mu.
type execution struct {
	engine *Engine
	key    string

	mu      sync.Mutex
	cursor  *cursor
	beat    time.Time // when its task was last heard of; a restart counts, for nobody could be heard while it was down
	calling int       // the attempt whose function runs in this process
	timer   *time.Timer
}

// run goes on until there is something to wait for. It lets go of the lock between two writes, so that Stop comes in
// between states that never wait.
func (x *execution) run() {
	for x.once() {
	}
}

func (x *execution) once() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.halted() {
		return false
	}
	batch, wake := x.cursor.next(time.Now(), x.beat)
	if len(batch) > 0 {
		return x.write(x.engine.ctx, batch) == nil
	}
	x.call()
	x.wake(wake)
	return false
}

// halted says whether nothing may be written any more: the execution has ended, or the engine has stopped.
func (x *execution) halted() bool {
	return x.engine.ctx.Err() != nil || x.cursor.Status != workflow.Running
}

// wake makes run go on at a time; the latest call counts.
func (x *execution) wake(at time.Time) {
	if x.timer != nil {
		x.timer.Stop()
	}
	if at.Before(never) {
		x.timer = time.AfterFunc(time.Until(at), x.run)
	}
}

// write stores events as the next ones and only then lets them count. When the store does not take them the engine
// halts: what is not written has not happened, and the next process goes on from what is.
func (x *execution) write(ctx context.Context, batch []entry) error {
	c := x.cursor
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("write history of %s: %w", x.key, err)
	}
	if x.halted() {
		return fault.New(fault.Unavailable, "write history of %s: the engine has stopped", x.key)
	}
	batch = capped(batch, c.events)
	now := time.Now().UTC()
	data := make([][]byte, len(batch))
	until := time.Time{}
	for i := range batch {
		batch[i].ID, batch[i].Time = c.events+1+i, now
		if ends(batch[i]) {
			until = now.Add(workflow.NameTaken)
		}
		var err error
		if data[i], err = encode(batch[i]); err != nil {
			return x.engine.halt(fmt.Errorf("write history of %s: %w", x.key, err))
		}
	}
	// Neither the caller nor a stop of the engine may leave it open whether a write was done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := x.engine.store.Append(ctx, x.key, c.events, data, until); err != nil {
		return x.engine.halt(fmt.Errorf("write history of %s: %w", x.key, err))
	}
	for _, e := range batch {
		if err := c.apply(e); err != nil {
			return x.engine.halt(fmt.Errorf("follow history of %s: %w", x.key, err))
		}
	}
	if c.Status != workflow.Running {
		x.wake(never)
		x.engine.ended(x.key, c.Execution)
	}
	return nil
}

const writeTimeout = 30 * time.Second

// capped cuts a batch that would make the history too long: the last event that it can have is then the execution's
// failure, as on AWS.
func capped(batch []entry, events int) []entry {
	room := workflow.MaxEvents - events
	if len(batch) < room || len(batch) == room && ends(batch[room-1]) {
		return batch
	}
	keep := max(room-1, 0)
	return append(batch[:keep:keep], ending(failure(nameRuntime,
		"The execution reached the maximum number of history events (%d).", workflow.MaxEvents))...)
}

func ends(e entry) bool {
	_, is := endings[e.Type]
	return is
}

// call starts the function of the attempt that is under way, unless this process has done so.
func (x *execution) call() {
	c := x.cursor
	if c.at != started || x.calling == c.attempt {
		return
	}
	x.calling = c.attempt
	attempt, name, input := c.attempt, c.state.task.function, c.call
	x.engine.work.Go(func() {
		output, failed := x.engine.invoke(name, input)
		x.returned(attempt, output, failed)
	})
}

// returned takes what a function returned, if anybody still waits for it: its attempt may have timed out, its token may
// have been answered, its execution may have been stopped.
func (x *execution) returned(attempt int, output json.RawMessage, failed *Failure) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c := x.cursor
	if x.halted() || c.at != started || c.attempt != attempt {
		return
	}
	if x.write(x.engine.ctx, c.returned(output, failed)) == nil {
		x.wake(time.Now())
	}
}

// answer takes what an operator, or whoever has the token, says of a waiting task.
func (x *execution) answer(ctx context.Context, token string, events func(*cursor) []entry) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cursor.Status != workflow.Running || !x.cursor.waits(token) {
		return errNoTask
	}
	if x.halted() { // by now the engine's: the task waits on, for the next process
		return fault.New(fault.Unavailable, "answer task of %s: the engine has stopped", x.key)
	}
	if batch, _ := x.cursor.next(time.Now(), x.beat); len(batch) > 0 {
		return errNoTask // its time is over, only its timer has not fired yet
	}
	x.beat = time.Now()
	if batch := events(x.cursor); len(batch) > 0 { // a heartbeat has none
		if err := x.write(ctx, batch); err != nil {
			return err
		}
	}
	x.wake(time.Now())
	return nil
}
