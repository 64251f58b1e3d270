package asl

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"slipway/internal/fault"
	"slipway/internal/workflow"
)

// Store keeps the histories. Events are opaque to it; the key of an execution is its machine and name with a / between.
type Store interface {
	// Append adds events after the first at ones, all or none; fault.Conflict if there are not exactly that many. until
	// is how long the history is kept: the zero time as long as the execution runs.
	Append(ctx context.Context, key string, at int, events [][]byte, until time.Time) error
	// Read is all events of an execution, oldest first; none if it is not known.
	Read(ctx context.Context, key string) ([][]byte, error)
	// Running is the keys of all executions whose last events had no until.
	Running(ctx context.Context) ([]string, error)
	// Expire forgets the histories whose until is not after now.
	Expire(ctx context.Context, now time.Time) error
}

// Options say what an engine runs.
type Options struct {
	Machines  []*Machine
	Functions map[string]workflow.Function // by the FunctionName of the definitions
	// Speed is how many times faster than real time waits, retries, heartbeats and the timeouts of tokens and machines
	// run; 0 is 1. The timeout of a task without a token is not scaled: a function takes as long as it takes.
	Speed float64
	// MaxRunning is how many executions may run at once; 0 is 1,000. More are refused with Unavailable.
	MaxRunning int
	// Ended is told of each execution that ends, as EventBridge tells a rule: once at most, and not at all if the process
	// dies between. It may be called before Open has returned. Nil: nobody is told.
	Ended func(context.Context, workflow.Execution)
}

const (
	maxRunning      = 1000
	maxCalls        = 64               // functions that run at once
	functionTimeout = 15 * time.Minute // the longest that a Lambda function may run
)

// Engine runs executions in this process. Make it with Open.
type Engine struct {
	store    Store
	options  Options
	machines map[string]*Machine
	ctx      context.Context // ends when the engine is closed or halts
	stop     context.CancelCauseFunc
	work     sync.WaitGroup // running functions and calls of Ended
	calls    chan struct{}  // one for each function that runs

	// mu is taken within an execution's own lock, never around it, but for one that is not in live yet.
	mu   sync.Mutex
	live map[string]*execution
}

// Open makes an engine over a store and resumes what runs. Invalid if a machine calls a function that is not there.
// ctx bounds the opening only.
func Open(ctx context.Context, store Store, o Options) (*Engine, error) {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Speed < 0 {
		return nil, fault.New(fault.Invalid, "open workflows: the speed is %g", o.Speed)
	}
	if o.MaxRunning == 0 {
		o.MaxRunning = maxRunning
	}
	e := &Engine{store: store, options: o, machines: map[string]*Machine{}, calls: make(chan struct{}, maxCalls), live: map[string]*execution{}}
	for _, m := range o.Machines {
		for at, function := range m.functions() {
			if o.Functions[function] == nil {
				return nil, fault.New(fault.Invalid, "load state machine %s: %s: there is no function %q", m.name, at, function)
			}
		}
		e.machines[m.name] = m
	}
	e.ctx, e.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := e.resume(ctx); err != nil {
		e.stop(err)
		return nil, err
	}
	for _, x := range e.all() {
		x.mu.Lock()
		x.wake(time.Now())
		x.mu.Unlock()
	}
	return e, nil
}

// Done is closed when the engine has stopped: by Close, or because its store failed. Close then says why.
func (e *Engine) Done() <-chan struct{} { return e.ctx.Done() }

// Close stops the engine and waits for the functions that run; their context ends. What they return is not written, so
// the next process starts their tasks again. The error is what halted the engine before, if anything did.
func (e *Engine) Close() error {
	e.stop(errClosed)
	for _, x := range e.all() {
		x.mu.Lock() // a write that is under way ends first
		x.wake(never)
		x.mu.Unlock()
	}
	e.work.Wait()
	if cause := context.Cause(e.ctx); cause != errClosed { //nolint:errorlint // the very value
		return cause
	}
	return nil
}

var errClosed = fault.New(fault.Unavailable, "the engine is closed")

// halt stops the engine because of an error and returns it.
func (e *Engine) halt(err error) error {
	e.stop(err)
	return err
}

// all is the running executions of this moment.
func (e *Engine) all() []*execution {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.live))
}

// execution is a new one, before its first event.
func (e *Engine) execution(machine, name string) *execution {
	return &execution{engine: e, key: key(machine, name), cursor: &cursor{
		Execution: workflow.Execution{Machine: machine, Name: name, Status: workflow.Running}, machine: e.machines[machine], speed: e.options.Speed,
	}}
}

func key(machine, name string) string { return machine + "/" + name }

// read is the history of an execution; fault.NotFound if there is none.
func (e *Engine) read(ctx context.Context, key string) ([]entry, error) {
	data, err := e.store.Read(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", key, err)
	}
	if len(data) == 0 {
		return nil, fault.New(fault.NotFound, "read history of %s: there is no such execution", key)
	}
	history := make([]entry, len(data))
	for i, d := range data {
		if err := json.Unmarshal(d, &history[i]); err != nil {
			return nil, fmt.Errorf("read history of %s: event %d: %w", key, i+1, err)
		}
	}
	return history, nil
}

// invoke calls a function. Its context ends with the engine, not with its execution: nothing ends a running Lambda
// function either, so what keeps a stopped run from writing must be a fence.
func (e *Engine) invoke(name string, input json.RawMessage) (json.RawMessage, *Failure) {
	select {
	case e.calls <- struct{}{}:
	case <-e.ctx.Done():
		return nil, nil
	}
	defer func() { <-e.calls }()
	f := e.options.Functions[name]
	if f == nil { // an execution that was started with an older definition
		return nil, failure("Lambda.ResourceNotFoundException", "there is no function %q", name)
	}
	ctx, cancel := context.WithTimeout(e.ctx, functionTimeout)
	defer cancel()
	return call(ctx, f, bytes.Clone(input))
}

// ended forgets a running execution and tells of its end. Both under mu: Close waits for all that was begun before it.
func (e *Engine) ended(key string, over workflow.Execution) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.live, key)
	if e.options.Ended != nil {
		e.work.Go(func() { e.options.Ended(e.ctx, over) })
	}
}
