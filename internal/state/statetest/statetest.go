// Package statetest is the contract of the state: what every engine must hold, as tests.
package statetest

import (
	"context"
	"errors"
	"testing"

	"slipway/internal/fault"
	"slipway/internal/state"
)

// Engine is an engine's stores, and what a test needs to do to it from outside.
type Engine struct {
	state.Stores
	// Damage changes one byte of the blob as it is stored.
	Damage func(t *testing.T, digest string)
	// Reopen closes the stores and opens them again, as a restart does.
	Reopen func(t *testing.T) state.Stores
}

// Run holds an engine to the contract. open returns empty stores of its own for each call.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	t.Run("records", func(t *testing.T) { testRecords(t, open) })
	t.Run("registry", func(t *testing.T) { testRegistry(t, open) })
	t.Run("blobs", func(t *testing.T) { testBlobs(t, open) })
	t.Run("notes", func(t *testing.T) { testNotes(t, open) })
	t.Run("rollouts", func(t *testing.T) { testRollouts(t, open) })
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got %v (kind %v), want kind %v", err, fault.Of(err), kind)
	}
}

// wantCancelled runs each call under a context that has ended: all must say so and do nothing.
func wantCancelled(t *testing.T, calls map[string]func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls {
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s under an ended context: got %v, want context.Canceled", name, err)
		}
	}
}

func testNotes(t *testing.T, open func(t *testing.T) Engine) {
	e := open(t)
	want := func(key, value string) {
		t.Helper()
		got, err := e.Notes.Get(t.Context(), key)
		ok(t, err)
		if got != value {
			t.Fatalf("note %s is %q, want %q", key, got, value)
		}
	}
	want("tip/a", "")
	ok(t, e.Notes.Set(t.Context(), "tip/a", `W/"1"`))
	ok(t, e.Notes.Set(t.Context(), "tip/b", "other"))
	want("tip/a", `W/"1"`)
	ok(t, e.Notes.Set(t.Context(), "tip/a", "2"))
	e.Stores = e.Reopen(t)
	want("tip/a", "2")
	ok(t, e.Notes.Set(t.Context(), "tip/a", ""))
	ok(t, e.Notes.Set(t.Context(), "tip/a", ""))
	want("tip/a", "")
	want("tip/b", "other")
	wantCancelled(t, map[string]func(context.Context) error{
		"get": func(ctx context.Context) error { _, err := e.Notes.Get(ctx, "tip/b"); return err },
		"set": func(ctx context.Context) error { return e.Notes.Set(ctx, "tip/b", "x") },
	})
	want("tip/b", "other")
}
