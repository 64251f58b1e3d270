package statetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/state"
)

// RunHistories holds an engine's histories to the contract. open returns empty ones, and how to close and open them
// again.
func RunHistories(t *testing.T, open func(t *testing.T) (state.Histories, func(t *testing.T) state.Histories)) {
	t.Run("a history is what was appended, in order, after a restart too", func(t *testing.T) {
		h, reopen := open(t)
		wantHistory(t, h, "m/a")
		ok(t, h.Append(t.Context(), "m/a", 0, events("one", "two"), time.Time{}))
		ok(t, h.Append(t.Context(), "m/ab", 0, events("other"), time.Time{}))
		ok(t, h.Append(t.Context(), "m/a", 2, events("three"), time.Time{}))
		wantHistory(t, h, "m/a", "one", "two", "three")
		h = reopen(t)
		wantHistory(t, h, "m/a", "one", "two", "three")
		wantHistory(t, h, "m/ab", "other")
		wantHistory(t, h, "m")
	})
	t.Run("an append at another place is refused and changes nothing", func(t *testing.T) {
		h, _ := open(t)
		wantKind(t, h.Append(t.Context(), "m/a", 1, events("x"), time.Time{}), fault.Conflict)
		ok(t, h.Append(t.Context(), "m/a", 0, events("one", "two"), time.Time{}))
		for _, at := range []int{0, 1, 3} {
			wantKind(t, h.Append(t.Context(), "m/a", at, events("x"), time.Now()), fault.Conflict)
		}
		wantHistory(t, h, "m/a", "one", "two")
		wantRunning(t, h, "m/a")
	})
	t.Run("of many appends at one place one wins", func(t *testing.T) {
		h, _ := open(t)
		var mu sync.Mutex
		var wg sync.WaitGroup
		won := 0
		for i := range 8 {
			wg.Go(func() {
				err := h.Append(t.Context(), "m/a", 0, events(fmt.Sprint(i)), time.Time{})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got, err := h.Read(t.Context(), "m/a"); won != 1 || len(got) != 1 || err != nil {
			t.Fatalf("%d won, %d events, %v", won, len(got), err)
		}
	})
	t.Run("what has an until does not run, and is forgotten when it has come", func(t *testing.T) {
		h, reopen := open(t)
		now := time.Now()
		for key, until := range map[string]time.Time{"m/a": now, "m/b": now.Add(time.Second), "m/c": {}, "n/a": now.Add(-time.Hour)} {
			ok(t, h.Append(t.Context(), key, 0, events("one"), time.Time{}))
			ok(t, h.Append(t.Context(), key, 1, events("two"), until))
		}
		wantRunning(t, h, "m/c")
		ok(t, h.Expire(t.Context(), now))
		ok(t, h.Expire(t.Context(), now))
		h = reopen(t)
		for _, gone := range []string{"m/a", "n/a"} {
			wantHistory(t, h, gone)
		}
		for _, kept := range []string{"m/b", "m/c"} {
			wantHistory(t, h, kept, "one", "two")
		}
		ok(t, h.Append(t.Context(), "m/a", 0, events("again"), time.Time{}))
		wantRunning(t, h, "m/a", "m/c")
		ok(t, h.Expire(t.Context(), now.Add(time.Hour)))
		wantHistory(t, h, "m/a", "again")
		wantHistory(t, h, "m/b")
	})
	t.Run("an ended context does nothing", func(t *testing.T) {
		h, _ := open(t)
		wantCancelled(t, map[string]func(context.Context) error{
			"append":  func(ctx context.Context) error { return h.Append(ctx, "m/a", 0, events("x"), time.Time{}) },
			"read":    func(ctx context.Context) error { _, err := h.Read(ctx, "m/a"); return err },
			"running": func(ctx context.Context) error { _, err := h.Running(ctx); return err },
			"expire":  func(ctx context.Context) error { return h.Expire(ctx, time.Now()) },
		})
		wantHistory(t, h, "m/a")
	})
}

func events(texts ...string) [][]byte {
	var out [][]byte
	for _, s := range texts {
		out = append(out, []byte(s))
	}
	return out
}

func wantHistory(t *testing.T, h state.Histories, key string, want ...string) {
	t.Helper()
	got, err := h.Read(t.Context(), key)
	ok(t, err)
	if diff := cmp.Diff(events(want...), got); diff != "" {
		t.Fatalf("history of %s:\n%s", key, diff)
	}
}

func wantRunning(t *testing.T, h state.Histories, want ...string) {
	t.Helper()
	got, err := h.Running(t.Context())
	ok(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("running:\n%s", diff)
	}
}
