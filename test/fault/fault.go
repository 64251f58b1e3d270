// Package fault makes the k-th call to the outside fail, in four ways, so that a test can break a use case at each of
// its calls and run it again. Import it as inject, beside the product's own package fault.
package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"slipway/internal/fault"
)

// Mode is how a call fails.
type Mode uint8

// The modes (faults C.5, layer 2). A process that is gone after its k-th call is the one that is gone before its next.
const (
	Before  Mode = iota // the call returns an error and had no effect
	After               // the call had its effect and returns an error
	Timeout             // the call had its effect and returns context.DeadlineExceeded
	Gone                // the process ends at this call: neither it nor any later call has an effect
)

// Modes is all of them.
var Modes = []Mode{Before, After, Timeout, Gone}

func (m Mode) String() string {
	return [...]string{Before: "error before", After: "error after the effect", Timeout: "timeout after the effect", Gone: "process gone"}[m]
}

// ErrInjected is in the chain of every error that this package made.
var ErrInjected = errors.New("injected")

// Injector counts calls and makes one of them fail. Many goroutines may use it at once.
type Injector struct {
	at   int
	mode Mode

	mu    sync.Mutex
	calls []string
	gone  bool
}

// New makes call number at (from 1) fail by mode; 0 makes none fail and only counts.
func New(at int, mode Mode) *Injector { return &Injector{at: at, mode: mode} }

// Do runs call, or fails as planned. name says in a test's output which call it was. A nil Injector just runs it.
func (i *Injector) Do(_ context.Context, name string, call func() error) error {
	if i == nil {
		return call()
	}
	i.mu.Lock()
	i.calls = append(i.calls, name)
	n := len(i.calls)
	now := n == i.at
	if now && i.mode == Gone {
		i.gone = true
	}
	gone := i.gone
	i.mu.Unlock()
	switch {
	case gone:
		return fmt.Errorf("call %d, %s: the process is gone: %w", n, name, ErrInjected)
	case now && i.mode == Before:
		return fault.New(fault.Unavailable, "call %d, %s: %w", n, name, ErrInjected)
	}
	err := call()
	if err == nil && now && i.mode == After {
		return fault.New(fault.Unavailable, "call %d, %s: its answer was lost: %w", n, name, ErrInjected)
	}
	if err == nil && now && i.mode == Timeout {
		return fmt.Errorf("call %d, %s: %w: %w", n, name, ErrInjected, context.DeadlineExceeded)
	}
	return err
}

// Value is Do for a call that returns something besides its error; with an error it returns the zero value.
func Value[T any](ctx context.Context, i *Injector, name string, call func() (T, error)) (T, error) {
	var v, none T
	err := i.Do(ctx, name, func() error {
		var err error
		v, err = call()
		return err
	})
	if err != nil {
		return none, err
	}
	return v, nil
}

// Calls is the names of the calls so far, in order.
func (i *Injector) Calls() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.calls...)
}

// Gone reports whether the process has ended: what runs from now on is another one and uses another Injector, or none.
func (i *Injector) Gone() bool {
	if i == nil {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.gone
}

// Fired reports whether the planned call was reached.
func (i *Injector) Fired() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.at > 0 && len(i.calls) >= i.at
}

// EveryCall runs a scenario once without failure, then once for each of its calls and each mode, as subtests. run
// builds a world of its own, breaks it through the Injector, repairs it by running again, and checks it; it makes the
// same calls each time until the failure. It returns the calls of the first run.
func EveryCall(t *testing.T, run func(t *testing.T, i *Injector)) []string {
	t.Helper()
	count := New(0, Before)
	if !t.Run("no failure", func(t *testing.T) { run(t, count) }) {
		return nil
	}
	calls := count.Calls()
	if len(calls) == 0 {
		t.Error("the scenario makes no call that could fail")
	}
	for k, name := range calls {
		for _, mode := range Modes {
			t.Run(fmt.Sprintf("%d %s %s", k+1, name, mode), func(t *testing.T) {
				i := New(k+1, mode)
				run(t, i)
				if !i.Fired() {
					t.Errorf("the run made %d calls, so call %d never failed", len(i.Calls()), k+1)
				}
			})
		}
	}
	return calls
}
