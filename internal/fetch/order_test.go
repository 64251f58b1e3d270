package fetch

import (
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/app"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// Each test here is one row of the push protocol's last table: without its safeguard the model finds a shortest trace to
// a broken promise, and the test is that trace against the real code.

// start declares an application whose first commit is applied.
func start(t *testing.T) (w *world, name app.Name, first revision.SHA) {
	t.Helper()
	w = newWorld(t)
	name = w.declare("shop", "main")
	first = w.push("shop/app.yaml: 1")
	w.mustMove(hint(first))
	w.sync(name)
	return w, name, first
}

// between runs other between a fetch's read of the tip and its write, as a slow fetch lets it happen.
func (w *world) between(m revision.Move, other func()) {
	w.t.Helper()
	w.host.atTip = append(w.host.atTip, other)
	w.mustMove(m)
	if len(w.host.atTip) > 0 {
		w.t.Fatal("the tip was not read")
	}
}

func TestASlowFetchDoesNotOverwriteANewerOne(t *testing.T) { // condition on wanted
	w, name, _ := start(t)
	b := w.push("shop/app.yaml: 2")
	w.between(hint(b), func() {
		w.mustMove(hint(w.push("shop/app.yaml: 3")))
	})
	tip, _ := w.host.ref(repo, "main")
	w.wantRev(name, tip)
}

func TestASlowFetchDoesNotOverwriteANewerOneThatChangedNoDigest(t *testing.T) { // ver, not seq
	w, name, _ := start(t)
	b := w.push("shop/app.yaml: 2")
	var c revision.SHA
	seq := w.record(name).Wanted.Seq
	w.between(hint(b), func() {
		c = w.push("shop/app.yaml: 1")
		w.mustMove(hint(c))
		if got := w.record(name).Wanted; got.Seq != seq || got.Revs[string(repo)+"@main"] != c {
			t.Fatalf("the revert of what never was wanted made %+v", got)
		}
	})
	w.wantRev(name, c)
}

func TestASlowFetchIsRefusedThoughItsRevisionCameBack(t *testing.T) { // one counter, not the source's own revision
	synctest.Test(t, func(t *testing.T) {
		w, name, a := start(t)
		b := w.push("shop/app.yaml: 2")
		w.between(hint(b), func() {
			w.mustMove(hint(b))
			w.set("main", a)
			time.Sleep(w.busy(hint(a)))
			w.mustMove(hint(a))
			w.wantRev(name, a)
		})
		w.wantRev(name, a) // b was withdrawn
	})
}

func TestTheRecordIsReadBeforeTheTip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, name, a := start(t)
		b := w.push("shop/app.yaml: 2")
		w.sync(name)
		// Were the record read here, after the tip, it would say that a is wanted, and b is ahead of it.
		w.between(hint(b), func() {
			w.mustMove(hint(b))
			w.sync(name)
			w.set("main", a)
			time.Sleep(w.busy(hint(a)))
			w.mustMove(hint(a))
			w.sync(name)
		})
		w.wantRev(name, a)
	})
}

func TestAStaleTipDoesNotReplaceWhatIsWantedThoughItIsAheadOfWhatIsDone(t *testing.T) { // ancestry, against wanted
	w, name, _ := start(t) // a is done
	b := w.push("shop/app.yaml: 2")
	c := w.push("shop/app.yaml: 3")
	w.mustMove(hint(c)) // c is wanted and not done
	w.host.stale = []revision.SHA{b}
	w.busy(bare)
	w.wantRev(name, c)
	if s := w.record(name).Wanted.Suspect[string(repo)+"@main"]; s.Tip != b {
		t.Fatalf("suspect is %v, want %s", s, b)
	}
}

func TestTwoStaleReadsWithinAMinuteAreNoForcePush(t *testing.T) { // 60 s between the two reads
	synctest.Test(t, func(t *testing.T) {
		w, name, a := start(t)
		b := w.push("shop/app.yaml: 2")
		w.mustMove(hint(b))
		w.host.stale = []revision.SHA{a, a}
		w.busy(bare)
		time.Sleep(59 * time.Second)
		if left := w.busy(bare); left != time.Second {
			t.Fatalf("comes back after %s, want what is left of the minute", left)
		}
		w.wantRev(name, b)
		w.mustMove(hint(b))
		if s := w.record(name).Wanted.Suspect; len(s) != 0 {
			t.Fatalf("suspect after a good read: %v", s)
		}
	})
}

func TestAGoodReadBetweenTwoStaleOnesClearsTheSuspect(t *testing.T) { // rule 4
	synctest.Test(t, func(t *testing.T) {
		w, name, a := start(t)
		b := w.push("shop/app.yaml: 2")
		w.mustMove(hint(b))
		w.host.stale = []revision.SHA{a, b, a}
		w.busy(bare)
		time.Sleep(50 * time.Second)
		w.mustMove(bare)
		time.Sleep(50 * time.Second)
		w.busy(bare)
		w.wantRev(name, b)
	})
}

func TestAPushAndItsRevertAreBothWantedWhileNeitherIsDone(t *testing.T) { // skip compares with wanted, not done
	w, name, _ := start(t)
	digest := w.record(name).Done.Digest
	w.mustMove(hint(w.push("shop/app.yaml: 2")))
	before := w.record(name).Wanted.Seq
	c := w.push("shop/app.yaml: 1")
	w.mustMove(hint(c))
	got := w.record(name)
	if got.Wanted.Digest != digest || got.Wanted.Seq <= before || !got.Pending() {
		t.Fatalf("after the revert %+v is wanted, the push before was %d: a sync that runs for it would never be undone", got.Wanted, before)
	}
	w.wantRev(name, c)
}

func TestASkippedRevisionIsStillWritten(t *testing.T) { // skip saves the revision
	w, name, _ := start(t)
	was := w.record(name)
	b := w.push("elsewhere/app.yaml: 1")
	w.mustMove(hint(b))
	now := w.record(name)
	w.wantRev(name, b)
	if now.Wanted.Seq != was.Wanted.Seq || now.Ver <= was.Ver {
		t.Fatalf("seq %d -> %d, ver %d -> %d; want the same seq and a greater ver", was.Wanted.Seq, now.Wanted.Seq, was.Ver, now.Ver)
	}
}

func TestForcedIsKeptUntilItIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, name, a := start(t)
		w.mustMove(hint(w.push("shop/app.yaml: 2")))
		w.sync(name)
		w.set("main", a)
		time.Sleep(w.busy(hint(a)))
		w.mustMove(hint(a))
		w.mustMove(hint(w.push("shop/app.yaml: 3"))) // before a was applied: this goes beside 2 as well
		if !w.record(name).Wanted.Forced {
			t.Fatal("what goes back from an applied revision is no longer marked")
		}
		w.sync(name)
		w.mustMove(hint(w.push("shop/app.yaml: 4")))
		if w.record(name).Wanted.Forced {
			t.Fatal("forced outlived what it marked")
		}
	})
}

func TestCountersAreNotReusedAfterTheRecordWasLost(t *testing.T) {
	w, name, _ := start(t)
	b := w.push("shop/app.yaml: 2")
	was := w.record(name)
	var c revision.SHA
	var lost record.Record
	w.between(hint(b), func() {
		if err := w.stores.Records.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		c = w.push("shop/app.yaml: 3")
		w.mustMove(hint(c))
		lost = w.record(name)
	})
	w.wantRev(name, c)
	if lost.Ver <= was.Ver || lost.Wanted.Seq <= was.Wanted.Seq {
		t.Fatalf("ver %d -> %d, seq %d -> %d: counters came back", was.Ver, lost.Ver, was.Wanted.Seq, lost.Wanted.Seq)
	}
}

func TestASkipQueuesTheWakeUpThatACrashLost(t *testing.T) { // rule 8
	for what, again := range map[string]func(w *world) revision.SHA{
		"the tip is wanted already":    func(w *world) revision.SHA { tip, _ := w.host.ref(repo, "main"); return tip },
		"the digest is wanted already": func(w *world) revision.SHA { return w.push("elsewhere/app.yaml: 1") },
	} {
		t.Run(what, func(t *testing.T) {
			w, name, _ := start(t)
			w.mustMove(hint(w.push("shop/app.yaml: 2")))
			w.wakes = nil // lost
			w.mustMove(hint(again(w)))
			if len(w.wakes) != 1 || w.wakes[0] != name {
				t.Fatalf("woken: %v", w.wakes)
			}
			w.drain()
			w.mustMove(hint(again(w)))
			if len(w.wakes) != 0 {
				t.Fatalf("woken though all is done: %v", w.wakes)
			}
		})
	}
}
