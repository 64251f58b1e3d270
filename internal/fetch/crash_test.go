package fetch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/record"
	"slipway/internal/revision"
	"slipway/internal/state/statetest"
	inject "slipway/test/fault"
)

// A crash at every call of fetch to the outside, in four ways (faults C.5, layer 2): run again, it ends as it does
// without a crash, and what must always hold holds after each call.
func TestACrashAtAnyCallEndsAsWithoutIt(t *testing.T) {
	for name, s := range map[string]struct {
		prepare func(w *world, a, b app.Name)
		act     func(w *world) // under the injector
	}{
		"a first push": {
			prepare: func(w *world, _, _ app.Name) { w.queue(hint(w.push("a/app.yaml: 1", "b/app.yaml: 1"))) },
		},
		"a push that changes one of two": {
			prepare: func(w *world, _, _ app.Name) { w.applied(); w.queue(hint(w.push("a/app.yaml: 2"))) },
		},
		"a push that is refused for one of two": {
			prepare: func(w *world, _, _ app.Name) { w.applied(); w.queue(hint(w.push("a/app.yaml: 2", "b/broken: yes"))) },
		},
		"a push and its revert, the first not done": {
			prepare: func(w *world, _, _ app.Name) {
				w.applied()
				w.mustMove(hint(w.push("a/app.yaml: 2")))
				w.wakes = nil
				w.queue(hint(w.push("a/app.yaml: 1")))
			},
		},
		"a force-push back": {
			prepare: func(w *world, _, _ app.Name) {
				first := w.applied()
				w.mustMove(hint(w.push("a/app.yaml: 2")))
				w.drain()
				w.set("main", first)
				w.queue(hint(first))
			},
		},
		"a changed declaration": {
			prepare: func(w *world, _, _ app.Name) {
				w.applied()
				w.declare("a", "main", func(x *app.Application) { x.Destination.Namespace = "elsewhere" })
				w.queue(bare)
			},
		},
		"a deleted branch": {
			prepare: func(w *world, _, _ app.Name) {
				w.applied()
				delete(w.host.refs, revision.Source{Repository: repo, Ref: "main"})
				w.queue(bare)
			},
		},
		"a record that moves meanwhile": {
			prepare: func(w *world, a, _ app.Name) {
				w.applied()
				w.host.atTip = []func(){func() { w.touch(a) }}
				w.queue(hint(w.push("a/app.yaml: 2", "b/app.yaml: 2")))
			},
		},
		"a lost push and a lost wake-up": {
			prepare: func(w *world, _, _ app.Name) {
				w.applied()
				w.mustMove(hint(w.push("b/app.yaml: 2")))
				w.wakes = nil
				w.push("a/app.yaml: 2")
			},
			act: func(w *world) {
				for range 3 { // the sweep comes again whatever happened to the last
					if err := w.fetch().Sweep(w.t.Context()); err != nil {
						w.broke(err)
					}
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var want map[string]any
			calls := inject.EveryCall(t, func(t *testing.T, i *inject.Injector) {
				synctest.Test(t, func(t *testing.T) {
					w := worldOf(t, statetest.Memory())
					a, b := w.declare("a", "main"), w.declare("b", "main")
					s.prepare(w, a, b)
					w.inject, w.check = i, w.invariants()
					if s.act != nil {
						s.act(w)
					}
					w.drain()
					got := map[string]any{"a": w.end(a), "b": w.end(b)}
					if want == nil {
						want = got
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("before the sweep:\n%s", diff)
					}
					w.inject = nil
					w.mustSweep()
					w.drain()
					if diff := cmp.Diff(want, map[string]any{"a": w.end(a), "b": w.end(b)}); diff != "" {
						t.Errorf("after the sweep:\n%s", diff)
					}
				})
			})
			t.Logf("%d calls: %s", len(calls), strings.Join(calls, ", "))
		})
	}
}

func (w *world) queue(m revision.Move) { _ = w.Move(w.t.Context(), m) }

// applied pushes a first commit for a and b and applies it.
func (w *world) applied() revision.SHA {
	first := w.push("a/app.yaml: 1", "b/app.yaml: 1")
	w.queue(hint(first))
	w.drain()
	return first
}

// end is what of a record must not depend on the way that led to it.
func (w *world) end(name app.Name) map[string]any {
	r := w.record(name)
	var last applied
	if n := len(w.ran[name]); n > 0 {
		last = w.ran[name][n-1]
	}
	return map[string]any{
		"wanted": r.Wanted.Revs, "digest": r.Wanted.Digest, "declared": r.Wanted.Declared, "done": r.Done.Digest, "pending": r.Pending(),
		"suspect": len(r.Wanted.Suspect), "refused": r.Refused.Rev, "reason": r.Refused.Reason, "applied": fmt.Sprint(last),
	}
}

// invariants compares each record with what it was at the last check.
func (w *world) invariants() func() {
	last := map[string]record.Record{}
	look := func(report bool) {
		w.t.Helper()
		all, err := w.stores.Records.List(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range all {
			if report {
				w.compare(last[r.Application], r)
			}
			last[r.Application] = r
		}
	}
	look(false)
	return func() { look(true) }
}

func (w *world) compare(was, is record.Record) {
	w.t.Helper()
	name := is.Application
	a, b := was.Wanted, is.Wanted
	switch {
	case is.Ver < was.Ver:
		w.t.Errorf("%s: ver went back from %d to %d", name, was.Ver, is.Ver)
	case is.Ver == was.Ver && !cmp.Equal(a, b) && was.Application != "" && is.Done.Seq == was.Done.Seq:
		w.t.Errorf("%s: wanted changed and ver did not:\n%s", name, cmp.Diff(a, b))
	case (a.Digest == b.Digest) != (a.Seq == b.Seq) || b.Seq < a.Seq:
		w.t.Errorf("%s: digest %s -> %s, seq %d -> %d", name, a.Digest, b.Digest, a.Seq, b.Seq)
	}
	src := string(repo) + "@main"
	if from, to := a.Revs[src], b.Revs[src]; from != "" && from != to && !b.Forced && !w.host.ancestor(from, to) {
		w.t.Errorf("%s: wanted went from %s to %s, which is not its descendant, unmarked", name, from, to)
	}
	if b.Digest == "" || is.Ver == was.Ver {
		return
	}
	data, err := w.stores.Blobs.Get(w.t.Context(), b.Digest)
	if err != nil {
		w.t.Errorf("%s wants inputs that are not stored: %v", name, err)
		return
	}
	in, err := app.DecodeInputs(data)
	if err != nil {
		w.t.Error(err)
		return
	}
	for p, text := range in.Files {
		if want := w.host.commits[b.Revs[src]].files[p]; string(text) != want {
			w.t.Errorf("%s: %s is %q, at the wanted revision it is %q", name, p, text, want)
		}
	}
}

// forward reports an applied revision that is older than, or beside, the one before and not marked.
func (w *world) forward(name app.Name) {
	w.t.Helper()
	for i, now := range w.ran[name] {
		if i > 0 && !now.forced && !w.host.ancestor(w.ran[name][i-1].rev, now.rev) {
			w.t.Errorf("%s went back unmarked: %v", name, w.ran[name])
		}
	}
	if n := slices.Compact(slices.Clone(w.ran[name])); len(n) == 0 {
		w.t.Errorf("%s was never applied", name)
	}
}
