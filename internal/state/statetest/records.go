package statetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/revision"
)

func sample() record.Record {
	at := time.Date(2025, 3, 1, 12, 0, 0, 123456789, time.UTC)
	revs := map[string]revision.SHA{"git.example/org/config@main": "4f1c"}
	return record.Record{
		Application: "argocd/a", Ver: 1<<63 + 7, Requested: 3, GivenUp: 2,
		Wanted: record.Wanted{Revs: revs, Digest: "sha256:ab", Seq: 1<<63 + 5, Forced: true, Suspect: map[string]record.Suspect{"s": {Tip: "77", Seen: at}}, Since: 1712},
		Done:   record.Done{Seq: 4, Revs: revs, At: at}, Kinds: []string{"Deployment.apps"},
		Lock:    record.Lock{Owner: "run-1", Until: at, Fence: 1<<63 + 9, Clean: true, Takeover: 6},
		Refused: record.Refusal{Source: "s", Rev: "88", Reason: "no Chart.yaml", At: at},
		History: []record.Run{{Seq: 4, Outcome: record.Applied, Notes: []string{"kept by hpa"}, Started: at, Ended: at}},
	}
}

func testRecords(t *testing.T, open func(t *testing.T) Engine) {
	t.Run("says not found of an absent record", func(t *testing.T) {
		_, err := open(t).Records.Get(t.Context(), "argocd/none")
		wantKind(t, err, fault.NotFound)
	})
	t.Run("keeps every field, across a restart", func(t *testing.T) {
		e, want := open(t), sample()
		got, err := e.Records.Update(t.Context(), "argocd/a", func(r *record.Record) error {
			if diff := cmp.Diff(record.Record{Application: "argocd/a"}, *r); diff != "" {
				t.Errorf("change of an absent record sees more than its name:\n%s", diff)
			}
			*r = sample()
			return nil
		})
		ok(t, err)
		stores := e.Reopen(t)
		read, err := stores.Records.Get(t.Context(), "argocd/a")
		ok(t, err)
		for _, have := range []record.Record{got, read} {
			if diff := cmp.Diff(want, have); diff != "" {
				t.Fatal(diff)
			}
		}
	})
	t.Run("writes nothing when change refuses, and returns its error as it is", func(t *testing.T) {
		e, refusal := open(t), errors.New("no")
		for range 2 { // absent, then present
			_, err := e.Records.Update(t.Context(), "argocd/a", func(r *record.Record) error { r.Ver = 99; return refusal })
			if err != refusal { //nolint:errorlint // as it is
				t.Fatalf("got %v, want the very error", err)
			}
			if r, err := e.Records.Get(t.Context(), "argocd/a"); err == nil && r.Ver == 99 {
				t.Fatal("a refused change was written")
			}
			_, err = e.Records.Update(t.Context(), "argocd/a", func(r *record.Record) error { r.Ver = 1; return nil })
			ok(t, err)
		}
	})
	t.Run("loses none of 32 updates at once", func(t *testing.T) {
		e := open(t)
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				_, err := e.Records.Update(t.Context(), "argocd/a", func(r *record.Record) error {
					r.Ver++
					r.History = append(r.History, record.Run{Seq: uint64(i)}) //nolint:gosec // small
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		r, err := e.Records.Get(t.Context(), "argocd/a")
		ok(t, err)
		seen := map[uint64]bool{}
		for _, run := range r.History {
			seen[run.Seq] = true
		}
		if r.Ver != 32 || len(seen) != 32 {
			t.Fatalf("ver %d and %d entries after 32 updates", r.Ver, len(seen))
		}
	})
	t.Run("lets one of 32 conditional writes through", func(t *testing.T) {
		e := open(t)
		var all sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 32 {
			all.Go(func() {
				_, err := e.Records.Update(t.Context(), "argocd/a", func(r *record.Record) error {
					if r.Ver != 0 {
						return fault.New(fault.Conflict, "it moved")
					}
					r.Ver = 1
					return nil
				})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !fault.Is(err, fault.Conflict) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won != 1 {
			t.Fatalf("%d writes on the same condition went through, want 1", won)
		}
	})
	t.Run("is not changed through what it returned", func(t *testing.T) { testIsolation(t, open(t)) })
	t.Run("lists by name and forgets what was deleted", func(t *testing.T) { testList(t, open(t)) })
	t.Run("does nothing under an ended context", func(t *testing.T) {
		e := open(t)
		wantCancelled(t, map[string]func(context.Context) error{
			"get": func(ctx context.Context) error { _, err := e.Records.Get(ctx, "argocd/a"); return err },
			"update": func(ctx context.Context) error {
				_, err := e.Records.Update(ctx, "argocd/a", func(r *record.Record) error { r.Ver = 5; return nil })
				return err
			},
			"list":   func(ctx context.Context) error { _, err := e.Records.List(ctx); return err },
			"delete": func(ctx context.Context) error { return e.Records.Delete(ctx, "argocd/a") },
		})
		_, err := e.Records.Get(t.Context(), "argocd/a")
		wantKind(t, err, fault.NotFound)
	})
}

func testIsolation(t *testing.T, e Engine) {
	var inside *record.Record
	written, err := e.Records.Update(t.Context(), "argocd/a", func(r *record.Record) error {
		*r = sample()
		inside = r
		return nil
	})
	ok(t, err)
	read, err := e.Records.Get(t.Context(), "argocd/a")
	ok(t, err)
	for _, r := range []*record.Record{inside, &written, &read} {
		r.Wanted.Revs["x"], r.History[0].Seq, r.Kinds[0] = "y", 77, "changed"
	}
	again, err := e.Records.Get(t.Context(), "argocd/a")
	ok(t, err)
	if diff := cmp.Diff(sample(), again); diff != "" {
		t.Fatalf("the store changed with what it had returned:\n%s", diff)
	}
}

func testList(t *testing.T, e Engine) {
	if all, err := e.Records.List(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("an empty store lists %v, %v", all, err)
	}
	names := []string{"argocd/b", "argocd/a-b", "zeta/a", "argocd/a", "alpha/z"}
	for i, n := range names {
		_, err := e.Records.Update(t.Context(), app.Name(n), func(r *record.Record) error { r.Ver = uint64(i + 1); return nil }) //nolint:gosec // small
		ok(t, err)
	}
	ok(t, e.Records.Delete(t.Context(), "zeta/a"))
	ok(t, e.Records.Delete(t.Context(), "zeta/a"))
	all, err := e.Records.List(t.Context())
	ok(t, err)
	var got []string
	for _, r := range all {
		got = append(got, fmt.Sprintf("%s %d", r.Application, r.Ver))
	}
	if diff := cmp.Diff([]string{"alpha/z 5", "argocd/a 4", "argocd/a-b 2", "argocd/b 1"}, got); diff != "" {
		t.Fatal(diff)
	}
	_, err = e.Records.Get(t.Context(), "zeta/a")
	wantKind(t, err, fault.NotFound)
}
