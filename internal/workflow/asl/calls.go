package asl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"slipway/internal/fault"
	"slipway/internal/workflow"
)

// Start implements workflow.Engine.
func (e *Engine) Start(ctx context.Context, machine, name string, input json.RawMessage) error {
	m := e.machines[machine]
	if m == nil {
		return fault.New(fault.NotFound, "start %s: there is no such state machine", key(machine, name))
	}
	if !plainName.MatchString(name) {
		return fault.New(fault.Invalid, "start %s: a name is 1 to %d letters, digits, - and _", key(machine, name), workflow.MaxName)
	}
	data, err := payload(input)
	if err != nil {
		return fault.New(fault.Invalid, "start %s: %w", key(machine, name), err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	same, err := e.taken(ctx, key(machine, name), data)
	if err != nil {
		return fmt.Errorf("start %s: %w", key(machine, name), err)
	}
	if same {
		return nil
	}
	return e.begin(ctx, m, name, data)
}

// payload is JSON without spaces, within the limit.
func payload(data json.RawMessage) (json.RawMessage, error) {
	v, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	compact, err := encode(v)
	if err == nil && len(compact) > workflow.MaxData {
		err = fmt.Errorf("%d bytes, at most %d", len(compact), workflow.MaxData)
	}
	return compact, err
}

// taken says whether the very execution runs already; an error if its name cannot be used. It is under mu; the input of
// an execution in live never changes.
func (e *Engine) taken(ctx context.Context, key string, input json.RawMessage) (same bool, err error) {
	if x := e.live[key]; x != nil {
		if !bytes.Equal(x.cursor.Input, input) {
			return false, fault.New(fault.Conflict, "an execution of this name runs with another input")
		}
		return true, nil
	}
	if err := e.store.Expire(ctx, time.Now()); err != nil {
		return false, fmt.Errorf("forget old executions: %w", err)
	}
	events, err := e.store.Read(ctx, key)
	switch {
	case err != nil:
		return false, err
	case len(events) > 0:
		return false, fault.New(fault.Conflict, "an execution of this name has ended less than %s ago", workflow.NameTaken)
	case len(e.live) >= e.options.MaxRunning:
		return false, fault.New(fault.Unavailable, "%d executions run already", len(e.live))
	}
	return false, nil
}

// begin writes the first events of an execution and lets it go; it is under mu.
func (e *Engine) begin(ctx context.Context, m *Machine, name string, input json.RawMessage) error {
	x := e.execution(m.name, name)
	x.mu.Lock()
	defer x.mu.Unlock()
	err := x.write(ctx, []entry{
		{Event: workflow.Event{Type: "ExecutionStarted", Data: input}, Definition: string(m.source)},
		{Event: workflow.Event{Type: m.first.kind + "StateEntered", State: m.first.name, Data: input}},
	})
	if err != nil {
		return err
	}
	e.live[x.key] = x
	x.wake(time.Now())
	return nil
}

// Stop implements workflow.Engine.
func (e *Engine) Stop(ctx context.Context, machine, name, errorName, cause string) error {
	x := e.running(key(machine, name))
	if x == nil {
		_, err := e.read(ctx, key(machine, name))
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.cursor.Status != workflow.Running {
		return nil
	}
	f := cut(errorName, cause)
	return x.write(ctx, []entry{{Event: workflow.Event{Type: "ExecutionAborted", Error: f.Name, Cause: f.Cause}}})
}

func (e *Engine) running(key string) *execution {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.live[key]
}

// Describe implements workflow.Engine.
func (e *Engine) Describe(ctx context.Context, machine, name string) (workflow.Execution, error) {
	over := workflow.Execution{Machine: machine, Name: name}
	history, err := e.read(ctx, key(machine, name))
	if err != nil {
		return workflow.Execution{}, err
	}
	for _, event := range history {
		follow(&over, event.Event)
	}
	return over, nil
}

// History implements workflow.Engine.
func (e *Engine) History(ctx context.Context, machine, name string) ([]workflow.Event, error) {
	entries, err := e.read(ctx, key(machine, name))
	if err != nil {
		return nil, err
	}
	history := make([]workflow.Event, len(entries))
	for i, event := range entries {
		history[i] = event.Event
	}
	return history, nil
}

// Succeed implements workflow.Answerer.
func (e *Engine) Succeed(ctx context.Context, token string, output json.RawMessage) error {
	data, err := payload(output)
	if err != nil {
		return fault.New(fault.Invalid, "answer task: %w", err)
	}
	result, err := decode(data)
	if err != nil {
		return fault.New(fault.Invalid, "answer task: %w", err)
	}
	return e.answer(ctx, token, func(c *cursor) []entry { return c.succeed(result) })
}

// Fail implements workflow.Answerer.
func (e *Engine) Fail(ctx context.Context, token, errorName, cause string) error {
	f := cut(errorName, cause)
	return e.answer(ctx, token, func(*cursor) []entry {
		return []entry{{Event: workflow.Event{Type: "TaskFailed", Error: f.Name, Cause: f.Cause}}}
	})
}

// Heartbeat implements workflow.Answerer.
func (e *Engine) Heartbeat(ctx context.Context, token string) error {
	return e.answer(ctx, token, func(*cursor) []entry { return nil })
}

func (e *Engine) answer(ctx context.Context, token string, events func(*cursor) []entry) error {
	key, err := tokenKey(token)
	if err != nil {
		return err
	}
	x := e.running(key)
	if x == nil {
		return errNoTask
	}
	return x.answer(ctx, token, events)
}

var _ workflow.Engine = (*Engine)(nil)
