package statetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/record"
)

func sampleRollout() record.Rollout {
	step := int32(3)
	return record.Rollout{
		Rollout: "c/shop/web", Fence: 1<<63 + 7, Execution: "c-shop-web-1", Revision: "abc.def", Hash: "abc", Stage: record.Running,
		Step: 1<<63 + 9, Call: "x", Verb: record.Abort, Why: "no", Promoted: &step,
		Token:    record.Token{Number: 9, Step: 2, Answer: record.Pending, Handle: "h"},
		WeightAt: time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC), Rejected: []string{"bad"}, Left: []string{"old"},
	}
}

func testRollouts(t *testing.T, open func(t *testing.T) Engine) {
	t.Run("keeps every field, across a restart", func(t *testing.T) {
		e, want := open(t), sampleRollout()
		_, err := e.Rollouts.Get(t.Context(), want.Rollout)
		wantKind(t, err, fault.NotFound)
		got, err := e.Rollouts.Update(t.Context(), want.Rollout, func(r *record.Rollout) error {
			if diff := cmp.Diff(record.Rollout{Rollout: want.Rollout}, *r); diff != "" {
				t.Errorf("change of an absent record sees more than its name:\n%s", diff)
			}
			*r = sampleRollout()
			return nil
		})
		ok(t, err)
		*got.Promoted, got.Rejected[0] = 77, "changed"
		read, err := e.Reopen(t).Rollouts.Get(t.Context(), want.Rollout)
		ok(t, err)
		if diff := cmp.Diff(want, read); diff != "" {
			t.Fatal(diff)
		}
	})
	t.Run("writes nothing when change refuses, and returns its error as it is", func(t *testing.T) {
		e, refusal := open(t), errors.New("no")
		for _, want := range []uint64{0, 1} { // absent, then present
			_, err := e.Rollouts.Update(t.Context(), "c/a/b", func(r *record.Rollout) error { r.Fence = 99; return refusal })
			if err != refusal { //nolint:errorlint // as it is
				t.Fatalf("got %v, want the very error", err)
			}
			if r, err := e.Rollouts.Get(t.Context(), "c/a/b"); (err != nil) != (want == 0) || r.Fence != want {
				t.Fatalf("a refused change left %d, %v", r.Fence, err)
			}
			_, err = e.Rollouts.Update(t.Context(), "c/a/b", func(r *record.Rollout) error { r.Fence = 1; return nil })
			ok(t, err)
		}
	})
	t.Run("lets one of 32 conditional writes through", func(t *testing.T) {
		e := open(t)
		var all sync.WaitGroup
		won := make(chan bool, 32)
		for range 32 {
			all.Go(func() {
				_, err := e.Rollouts.Update(t.Context(), "c/a/b", func(r *record.Rollout) error {
					if r.Fence != 0 {
						return fault.New(fault.Conflict, "it moved")
					}
					r.Fence = 1
					return nil
				})
				if err == nil {
					won <- true
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(won) != 1 {
			t.Fatalf("%d writes on the same condition went through, want 1", len(won))
		}
	})
	t.Run("lists a cluster's by name and forgets what was deleted", func(t *testing.T) {
		e := open(t)
		for _, name := range []string{"c/b/x", "c/a/x", "c2/a/x", "c/a/b", "c/z/z"} {
			_, err := e.Rollouts.Update(t.Context(), name, func(r *record.Rollout) error { r.Fence = 5; return nil })
			ok(t, err)
		}
		ok(t, e.Rollouts.Delete(t.Context(), "c/z/z"))
		ok(t, e.Rollouts.Delete(t.Context(), "c/z/z"))
		for prefix, want := range map[string][]string{"c/": {"c/a/b", "c/a/x", "c/b/x"}, "c2/": {"c2/a/x"}, "": {"c/a/b", "c/a/x", "c/b/x", "c2/a/x"}, "d/": nil} {
			all, err := e.Rollouts.List(t.Context(), prefix)
			ok(t, err)
			var got []string
			for _, r := range all {
				got = append(got, r.Rollout)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q: %s", prefix, diff)
			}
		}
	})
	t.Run("does nothing under an ended context", func(t *testing.T) {
		e := open(t)
		wantCancelled(t, map[string]func(context.Context) error{
			"get": func(ctx context.Context) error { _, err := e.Rollouts.Get(ctx, "c/a/b"); return err },
			"update": func(ctx context.Context) error {
				_, err := e.Rollouts.Update(ctx, "c/a/b", func(r *record.Rollout) error { r.Fence = 5; return nil })
				return err
			},
			"list":   func(ctx context.Context) error { _, err := e.Rollouts.List(ctx, ""); return err },
			"delete": func(ctx context.Context) error { return e.Rollouts.Delete(ctx, "c/a/b") },
		})
		_, err := e.Rollouts.Get(t.Context(), "c/a/b")
		wantKind(t, err, fault.NotFound)
	})
}
