// Package workflowtest is the contract that every workflow engine keeps, as tests: the one in this process and Step
// Functions alike. What AWS does is taken from its developer guide and from recorded histories.
package workflowtest

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/workflow"
)

// Options say how the suite runs against one kind of engine.
type Options struct {
	// New makes an engine that runs these definitions, by name, and calls these functions, by the FunctionName there.
	New func(t *testing.T, machines map[string]string, functions map[string]workflow.Function) workflow.Engine
	// Case runs one case; an engine in this process runs it in a synctest bubble. Nil: it is just called.
	Case func(t *testing.T, f func(t *testing.T))
}

// Run runs the whole contract.
func Run(t *testing.T, o Options) {
	t.Helper()
	if o.Case == nil {
		o.Case = func(t *testing.T, f func(t *testing.T)) { t.Helper(); f(t) }
	}
	var cases []testCase
	for _, group := range [][]testCase{starts, paths, failures, tokens, stops} {
		cases = append(cases, group...)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o.Case(t, func(t *testing.T) { c.run(t, suite{o}) })
		})
	}
}

type testCase struct {
	name string
	run  func(t *testing.T, s suite)
}

type suite struct{ Options }

// engine makes an engine with one machine, "m".
func (s suite) engine(t *testing.T, definition string, functions map[string]workflow.Function) handle {
	t.Helper()
	return handle{s.New(t, map[string]string{"m": definition}, functions), t}
}

// handle is an engine whose calls fail the test instead of returning errors.
type handle struct {
	workflow.Engine
	t *testing.T
}

func (h handle) start(name, input string) {
	h.t.Helper()
	if err := h.Start(h.t.Context(), "m", name, json.RawMessage(input)); err != nil {
		h.t.Fatalf("start %s: %v", name, err)
	}
}

func (h handle) describe(name string) workflow.Execution {
	h.t.Helper()
	x, err := h.Describe(h.t.Context(), "m", name)
	if err != nil {
		h.t.Fatalf("describe %s: %v", name, err)
	}
	return x
}

func (h handle) history(name string) []workflow.Event {
	h.t.Helper()
	history, err := h.History(h.t.Context(), "m", name)
	if err != nil {
		h.t.Fatalf("history of %s: %v", name, err)
	}
	return history
}

// eventually waits for a condition, far longer than any engine needs.
func (h handle) eventually(what string, holds func() bool) {
	h.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited in vain until %s", what)
		}
	}
}

// end waits until the execution has ended.
func (h handle) end(name string) workflow.Execution {
	h.t.Helper()
	var x workflow.Execution
	h.eventually(name+" has ended", func() bool { x = h.describe(name); return x.Status != workflow.Running })
	return x
}

// run starts an execution and waits for its end.
func (h handle) run(name, input string) workflow.Execution {
	h.t.Helper()
	h.start(name, input)
	return h.end(name)
}

// whole is the history of an execution that has ended, up to its last event, which may be seen later than its status.
func (h handle) whole(name string) []workflow.Event {
	h.t.Helper()
	var history []workflow.Event
	h.eventually("the history of "+name+" is whole", func() bool {
		history = h.history(name)
		return len(history) > 1 && strings.HasPrefix(history[len(history)-1].Type, "Execution")
	})
	return history
}

// wantPath compares the states that were entered, given with spaces between.
func (h handle) wantPath(name, want string) {
	h.t.Helper()
	if diff := cmp.Diff(strings.Fields(want), workflow.Path(h.whole(name))); diff != "" {
		h.t.Errorf("path of %s:\n%s", name, diff)
	}
}

// wantTypes compares the types of all events.
func (h handle) wantTypes(name, want string) {
	h.t.Helper()
	var got []string
	for _, e := range h.whole(name) {
		got = append(got, e.Type)
	}
	if diff := cmp.Diff(strings.Fields(want), got); diff != "" {
		h.t.Errorf("events of %s:\n%s", name, diff)
	}
}

// wantOutput compares JSON, not its spelling.
func wantOutput(t *testing.T, x workflow.Execution, want string) {
	t.Helper()
	if x.Status != workflow.Succeeded {
		t.Fatalf("%s is %s with %s: %s", x.Name, x.Status, x.Error, x.Cause)
	}
	if diff := cmp.Diff(parse(t, want), parse(t, string(x.Output))); diff != "" {
		t.Errorf("output of %s:\n%s", x.Name, diff)
	}
}

func parse(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

func wantFailed(t *testing.T, x workflow.Execution, errorName string) {
	t.Helper()
	if x.Status != workflow.Failed || x.Error != errorName {
		t.Fatalf("%s is %s with %q: %s; want FAILED with %q", x.Name, x.Status, x.Error, x.Cause, errorName)
	}
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got %v (%s), want %s", err, fault.Of(err), kind)
	}
}

// refusedError is an error with a name of its own, as catchers need it.
type refusedError struct{ why string }

func (e refusedError) Error() string { return e.why }

// echo returns what it gets.
func echo(_ context.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil }

// refuse fails always.
func refuse(context.Context, json.RawMessage) (json.RawMessage, error) {
	return nil, refusedError{"p99 above 2 s"}
}

// failing fails so many times, then returns how often it was called.
func failing(times int) workflow.Function {
	var mu sync.Mutex
	calls := 0
	return func(context.Context, json.RawMessage) (json.RawMessage, error) {
		mu.Lock()
		defer mu.Unlock()
		calls++
		if calls <= times {
			return nil, refusedError{"not yet"}
		}
		return json.Marshal(calls)
	}
}

// mailbox is a function that keeps the tokens it is given.
type mailbox struct{ tokens chan string }

func newMailbox() mailbox { return mailbox{make(chan string, 10)} }

func (m mailbox) function(_ context.Context, in json.RawMessage) (json.RawMessage, error) {
	var payload struct{ Token string }
	if err := json.Unmarshal(in, &payload); err != nil {
		return nil, err
	}
	m.tokens <- payload.Token
	return nil, nil
}

func (m mailbox) next(t *testing.T) string {
	t.Helper()
	select {
	case token := <-m.tokens:
		return token
	case <-time.After(time.Minute):
		t.Fatal("no token was handed out")
		return ""
	}
}
