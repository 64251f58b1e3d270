package drift

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/state"
)

const secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: aHVudGVyMg==}\n"

// hooked does something after the records were read for a sweep.
type hooked struct {
	state.Records
	after func()
}

func (h hooked) List(ctx context.Context) ([]record.Record, error) {
	all, err := h.Records.List(ctx)
	if h.after != nil {
		h.after()
	}
	return all, err
}

// unfinishedSync applies all that is wanted, and its process is gone before the record says so.
func unfinishedSync(w *world) {
	w.t.Helper()
	before := w.record().Done
	if err := w.deploy.Sync(w.t.Context(), w.app.Key(), false); err != nil {
		w.t.Fatal(err)
	}
	r := w.record()
	r.Done = before
	r.Lock.Owner, r.Lock.Clean = "gone", false
	r.Expire()
	w.put(r)
}

// Protocol, heal guard: without rule 15 under the lock, heal writes over newer content (21).
func TestNothingIsHealedOnceSomethingNewerIsWanted(t *testing.T) {
	w, s := newMemory(t)
	w.sync(configMap("a", "k: v1") + configMap("b", "k: v1"))
	s.Edit(cm("b"), "person", set("k", "x"))
	lists := 0
	w.drift.Records = hooked{w.stores.Records, func() {
		if lists++; lists != 2 { // the second is the one after the LIST
			return
		}
		w.push(configMap("a", "k: v2") + configMap("b", "k: v2"))
		unfinishedSync(w)
	}}
	rep, err := w.drift.Sweep(t.Context(), app.Cluster{Name: "real"})
	if err != nil || rep.Skipped != 1 || len(rep.Findings) > 0 { // compared with an old set, all that is new is drift
		t.Errorf("%+v, error %v", rep, err)
	}
	if got := data(s, "a", "k"); got != "v2" {
		t.Errorf("newer content was written over: %q", got)
	}
	w.finish()
	if a, b := data(s, "a", "k"), data(s, "b", "k"); a != "v2" || b != "v2" {
		t.Errorf("in the end %q and %q", a, b)
	}
}

// finish syncs what is left.
func (w *world) finish() {
	w.t.Helper()
	for range 5 {
		if r := w.record(); r.Lock.Owner != "" {
			r.Expire()
			w.put(r)
		}
		if err := w.deploy.Sync(w.t.Context(), w.app.Key(), false); err == nil && !w.pending() {
			return
		}
	}
	w.t.Fatal("the sync does not come to an end")
}

func (w *world) pending() bool { r := w.record(); return r.Pending() }

// Protocol, heal guard: what is wanted is read again before the first write; without it GAP (33).
func TestACommitThatComesWhileItIsJudgedStopsTheHeal(t *testing.T) {
	for _, op := range []string{"get", "try"} {
		t.Run(op, func(t *testing.T) {
			w, s := newMemory(t)
			w.sync(configMap("a", "k: v1"))
			s.Edit(cm("a"), "person", set("k", "x"))
			s.Take()
			s.Once(op, func() { w.push(configMap("a", "k: v2")) })
			if rep := w.sweep(); rep.Healed > 0 || rep.Skipped != 1 {
				t.Errorf("%+v", rep)
			}
			if got := s.Take(); got != nil {
				t.Errorf("written: %q", got)
			}
			if !slices.Contains(w.woken, w.app.Key()) {
				t.Error("nobody woke the sync that the heal kept out")
			}
		})
	}
}

func TestALostLockStopsTheHeal(t *testing.T) {
	for _, op := range []string{"get", "try", "apply"} {
		t.Run(op, func(t *testing.T) {
			w, s := newMemory(t)
			w.sync(configMap("a", "k: v1") + configMap("b", "k: v1"))
			s.Edit(cm("a"), "person", set("k", "x"))
			s.Edit(cm("b"), "person", set("k", "x"))
			s.Once(op, func() { // the lease ended: another run took over and finished
				w.push(configMap("a", "k: v2") + configMap("b", "k: v2"))
				other, _ := w.process(w.stores)
				r := w.record()
				r.Expire()
				w.put(r)
				if err := other.Sync(t.Context(), w.app.Key(), false); err != nil {
					t.Fatal(err)
				}
			})
			w.sweep()
			if a, b := data(s, "a", "k"), data(s, "b", "k"); a != "v2" || b != "v2" {
				t.Errorf("the stale heal wrote over a newer run: %q and %q", a, b)
			}
			if rep := w.sweep(); len(rep.Findings) > 0 {
				t.Errorf("afterwards: %q", found(rep))
			}
		})
	}
}

func TestAnApplicationAtWorkIsLeftToItsSync(t *testing.T) { // faults 46
	w, s := newMemory(t)
	w.sync(configMap("a", "k: v1"))
	s.Edit(cm("a"), "person", set("k", "x"))
	r := w.record()
	if err := r.Take("sync", time.Now(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	w.put(r)
	s.Take()
	if rep := w.sweep(); rep.Skipped != 1 || rep.Healed > 0 || len(rep.Findings) > 0 {
		t.Errorf("%+v", rep)
	}
	r.Expire() // its process has died
	w.put(r)
	if rep := w.sweep(); rep.Healed != 1 {
		t.Errorf("after the lease: %+v", rep)
	}
}

func TestAPartialListMeansNothingIsMissing(t *testing.T) {
	w, s := newMemory(t)
	w.sync(configMap("a", "k: v1") + configMap("b", "k: v1") + secret)
	s.Edit(cm("a"), "person", set("k", "x"))
	s.Drop(cm("b"))
	secrets, configMaps := schema.GroupKind{Kind: "Secret"}, schema.GroupKind{Kind: "ConfigMap"}
	s.FailKind(secrets, fault.New(fault.Unavailable, "429"))
	s.Take()
	rep, err := w.drift.Sweep(t.Context(), app.Cluster{Name: "real"})
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("the error is %v", err)
	}
	if d := cmp.Diff([]string{"Drifted ConfigMap/a healed .data.k by person", "Missing ConfigMap/b healed"}, found(rep)); d != "" {
		t.Error(d)
	}
	s.FailKind(configMaps, fault.New(fault.Unavailable, "503"))
	s.Take()
	if rep, err := w.drift.Sweep(t.Context(), app.Cluster{Name: "real"}); err == nil || len(rep.Findings) > 0 || s.Take() != nil {
		t.Errorf("no kind was seen: %+v, error %v", rep, err)
	}
	s.FailKind(secrets, nil)
	s.FailKind(configMaps, nil)
	s.Drop(manifest.ID{Kind: "Secret", Namespace: "shop", Name: "s"})
	if d := cmp.Diff([]string{"Missing Secret/s healed"}, found(w.sweep())); d != "" {
		t.Error(d)
	}
}

func TestAnAPIServerInTroubleLosesNothing(t *testing.T) {
	for _, op := range []string{"sweep", "get", "try", "apply"} {
		t.Run(op, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, s := newMemory(t)
				w.sync(configMap("a", "k: v1") + configMap("b", "k: v1") + configMap("c", "k: v1"))
				s.Edit(cm("a"), "person", set("k", "x"))
				s.Drop(cm("b"))
				requests := 0
				trouble := func(fail func() error) {
					s.Around(func(name string, call func() error) error {
						requests++
						if name == op {
							return fail()
						}
						return call()
					})
				}
				hang := make(chan struct{})
				for _, fail := range []func() error{
					func() error { return fault.New(fault.Unavailable, "429") },
					func() error { return fault.InFlight(fault.New(fault.Unavailable, "504")) },
					func() error { <-hang; return fault.InFlight(fault.Wrap(fault.Unavailable, context.DeadlineExceeded)) },
				} {
					trouble(fail)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					go func() { <-ctx.Done(); close(hang) }()
					s.Take()
					rep, err := w.drift.Sweep(ctx, app.Cluster{Name: "real"})
					if err == nil && rep.Healed < 2 && !slices.ContainsFunc(rep.Findings, func(f Located) bool { return f.Because != "" }) {
						t.Errorf("neither an error nor a reason: %+v", rep)
					}
					for _, f := range rep.Findings {
						if f.Outcome == Missing && f.Name != "b" || f.Outcome == Extra || f.Name == "c" {
							t.Errorf("false: %+v", f)
						}
					}
					if slices.ContainsFunc(s.Take(), func(w string) bool { return strings.HasPrefix(w, "delete") }) {
						t.Error("pruned")
					}
					cancel()
					synctest.Wait()
					hang = make(chan struct{})
				}
				if requests > 100 {
					t.Errorf("%d requests: a hot loop", requests)
				}
				s.Around(nil)
				time.Sleep(time.Hour)
				w.sweep()
				if a, b := data(s, "a", "k"), data(s, "b", "k"); a != "v1" || b != "v1" {
					t.Errorf("in the end %q and %q", a, b)
				}
			})
		})
	}
}

func TestTwoSweepsAtOnceHealOnce(t *testing.T) { // faults 48
	for range 20 {
		w, s := newMemory(t)
		w.sync(configMap("a", "k: v1") + configMap("b", "k: v1"))
		s.Edit(cm("a"), "person", set("k", "x"))
		s.Take()
		var g sync.WaitGroup
		for range 4 {
			_, d := w.process(w.stores)
			g.Go(func() {
				if _, err := d.Sweep(t.Context(), app.Cluster{Name: "real"}); err != nil {
					t.Error(err)
				}
			})
		}
		g.Wait()
		if d := cmp.Diff([]string{"apply ConfigMap/a"}, s.Take()); d != "" {
			t.Fatal(d)
		}
	}
}

func TestLostStateIsFoundAgain(t *testing.T) {
	w, s := newMemory(t)
	w.sync(configMap("a", "k: v1") + configMap("b", "k: v1"))
	r := w.record()
	r.Done.Inventory = app.Digest([]byte("lost"))
	w.put(r)
	w.restart()
	s.Edit(cm("a"), "person", set("k", "x"))
	s.Drop(cm("b"))
	if d := cmp.Diff([]string{"Drifted ConfigMap/a healed .data.k by person", "Missing ConfigMap/b healed"}, found(w.sweep())); d != "" {
		t.Error("without an inventory:", d)
	}
	r = w.record()
	r.Done.Snapshot = app.Digest([]byte("lost"))
	w.put(r)
	s.Edit(cm("a"), "person", set("k", "y"))
	w.sweep()
	if r := w.record(); r.Requested != r.Wanted.Seq || !slices.Contains(w.woken, w.app.Key()) {
		t.Errorf("without a snapshot nobody asks for another: %+v", r)
	}
	w.finish()
	if got := data(s, "a", "k"); got != "v1" {
		t.Errorf("k is %q", got)
	}
}
