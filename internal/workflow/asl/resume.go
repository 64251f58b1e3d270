package asl

import (
	"context"
	"fmt"
	"strings"
	"time"

	"slipway/internal/workflow"
)

// resume loads what runs. An execution keeps the definition that it was started with.
func (e *Engine) resume(ctx context.Context) error {
	if err := e.store.Expire(ctx, time.Now()); err != nil {
		return fmt.Errorf("forget old executions: %w", err)
	}
	keys, err := e.store.Running(ctx)
	if err != nil {
		return fmt.Errorf("list running executions: %w", err)
	}
	for _, key := range keys {
		history, err := e.read(ctx, key)
		if err != nil {
			return err
		}
		if err := e.load(ctx, key, history); err != nil {
			return err
		}
	}
	return nil
}

// load makes a running execution of its history. One that cannot be followed, because this version refuses its
// definition, fails: it must not keep the others from going on.
func (e *Engine) load(ctx context.Context, key string, history []entry) error {
	machine, name, _ := strings.Cut(key, "/")
	x := e.execution(machine, name)
	c := x.cursor
	var err error
	if c.machine, err = Parse(machine, []byte(history[0].Definition), nil); err == nil {
		for _, event := range history {
			if err = c.apply(event); err != nil {
				break
			}
		}
	}
	if err != nil {
		c.Status, c.events = workflow.Running, len(history)
		return x.write(ctx, ending(failure(nameRuntime, "The execution cannot go on: %s", err)))
	}
	x.beat = time.Now()
	e.live[key] = x
	return nil
}
