package deploy

import (
	"slices"
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/test/server"
)

// Each test here is a row of the protocol's last table, "what breaks without each", run against the real code: take the
// safeguard out and it fails. The other rows are about fetch and lie beside it.

// interrupt pauses a run of w just before (or, with late, just after) its first request op and lets what happen
// meanwhile; the run then goes on, as a process that was paused past its lease does.
func (w *world) interrupt(op string, late bool, meanwhile func()) (paused error) {
	fired := false
	w.server.Around(func(got string, call func() error) error {
		if got != op || fired {
			return call()
		}
		fired = true
		if !late {
			w.server.Around(nil)
			meanwhile()
			return call()
		}
		err := call()
		w.server.Around(nil)
		meanwhile()
		return err
	})
	err := w.deploy.Sync(w.t.Context(), w.app.Key(), false)
	if !fired {
		w.t.Fatalf("the run made no %s", op)
	}
	return err
}

// successor is the run of another process after the lease of the paused one has ended; it must end well.
func (w *world) successor() {
	w.t.Helper()
	if _, err := w.stores.Records.Update(w.t.Context(), w.app.Key(), func(r *record.Record) error { r.Expire(); return nil }); err != nil {
		w.t.Fatal(err)
	}
	if err := w.run().Sync(server.Undisturbed(w.t.Context()), w.app.Key(), false); err != nil {
		w.t.Error(err)
	}
}

// returned fails unless the wake-up goes back to the queue (rule 14: fence lost, never acknowledge).
func (w *world) returned(err error) {
	w.t.Helper()
	if _, again := fault.After(err); !fault.Is(err, fault.Busy) || !again {
		w.t.Errorf("the paused run ends with %v, want it to come back", err)
	}
}

func (w *world) wantValues(want map[string]string) {
	w.t.Helper()
	for name, v := range want {
		if got := value(w.server.Live(cm(name)), "k"); got != v {
			w.t.Errorf("%s has k = %q, want %q", name, got, v)
		}
	}
}

func TestABusyLockReturnsTheWakeUpUntilTheLeaseEnds(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	err := w.interrupt("list", false, func() {
		second := w.run().Sync(t.Context(), w.app.Key(), false)
		after, ok := fault.After(second)
		if !fault.Is(second, fault.Busy) || !ok || after < DefaultLease || after > DefaultLease+record.Grace {
			t.Errorf("the second run ends with %v, after %s", second, after)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAListMadeAfterTheLockWasLostWritesNothing(t *testing.T) { // P3 (21): fence in the re-read
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	w.server.Take()
	err := w.interrupt("list", false, func() {
		// The successor is at work on the same wanted: the late LIST will show all that it has written by then, so no
		// resourceVersion will stop the paused run.
		now := time.Now()
		if _, err := w.stores.Records.Update(t.Context(), w.app.Key(), func(r *record.Record) error {
			r.Expire()
			return r.Take("successor", now, now.Add(DefaultLease))
		}); err != nil {
			t.Fatal(err)
		}
	})
	w.returned(err)
	if len(w.server.Writes()) != 0 {
		t.Errorf("the paused run wrote %v", w.server.Writes())
	}
}

func TestAPausedRunCannotOverwriteANewerOne(t *testing.T) { // P3 (21, 24): compare-and-swap, fence check after 409
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	err := w.interrupt("apply", false, func() {
		w.push(map[string]string{"a.yaml": configMap("a", "k: v3")})
		w.successor()
	})
	w.returned(err)
	w.wantValues(map[string]string{"a": "v3"})
}

func TestAPausedRunCannotUndoARevertThatNeededNoWrite(t *testing.T) { // GAP, apply (28): takeover touches
	w := newWorld(t)
	v1 := map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")}
	w.push(v1)
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2"), "b.yaml": v1["b.yaml"]})
	err := w.interrupt("apply", false, func() {
		w.push(v1)
		w.successor()
	})
	w.returned(err)
	w.wantValues(map[string]string{"a": "v1", "b": "v1"})
}

func TestAPausedRunCannotPruneWhatIsWantedAgain(t *testing.T) { // GAP, prune (30): takeover touches
	w := newWorld(t)
	v1 := map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")}
	w.push(v1)
	w.mustSync()
	w.push(map[string]string{"a.yaml": v1["a.yaml"]})
	err := w.interrupt("delete", false, func() {
		w.push(v1)
		w.successor()
	})
	w.returned(err)
	w.wantValues(map[string]string{"a": "v1", "b": "v1"})
}

func TestDoneOfALostFenceIsNotWritten(t *testing.T) { // P2 (30), P5 (40): fence condition of done
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	err := w.interrupt("apply", true, func() {
		w.push(map[string]string{"a.yaml": configMap("a", "k: v3")})
		w.successor()
	})
	w.returned(err)
	if r := w.record(); r.Done.Seq != r.Wanted.Seq {
		t.Errorf("done is seq %d, want that of the newer run, %d", r.Done.Seq, r.Wanted.Seq)
	}
	w.wantValues(map[string]string{"a": "v3"})
}

func TestNothingIsPrunedAfterAFailedApply(t *testing.T) { // P4 (14): prune only after success
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2"), "c.yaml": configMap("c", "k: v2")})
	w.server.Around(func(op string, call func() error) error {
		if op == "apply" {
			return fault.New(fault.Invalid, "refused by a webhook that does not see dry runs")
		}
		return call()
	})
	if err := w.sync(); !fault.Is(err, fault.Invalid) {
		t.Fatalf("the error is %v", err)
	}
	if w.server.Live(cm("b")) == nil {
		t.Error("b was pruned")
	}
	if o := w.record().History[0].Outcome; o != record.Failed {
		t.Errorf("the outcome is %s", o)
	}
}

func TestCountersAreNotUsedAgainAfterTheRecordIsLost(t *testing.T) { // P3 (38): counters never reused
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	err := w.interrupt("apply", false, func() {
		if err := w.stores.Records.Delete(t.Context(), w.app.Key()); err != nil {
			t.Fatal(err)
		}
		w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
		w.successor()
	})
	w.returned(err)
	w.wantValues(map[string]string{"a": "v2"})
}

func TestALostRecordStopsTheRunThatHeldIt(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	err := w.interrupt("list", false, func() {
		if err := w.stores.Records.Delete(t.Context(), w.app.Key()); err != nil {
			t.Fatal(err)
		}
	})
	w.returned(err)
	if len(w.server.Writes()) != 0 {
		t.Errorf("the run wrote %v", w.server.Writes())
	}
}

func TestAPushDuringRenderingStartsTheRunAgain(t *testing.T) { // rule 10: seq in the re-read saves the older apply
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	err := w.interrupt("target", false, func() { w.push(map[string]string{"a.yaml": configMap("a", "k: v2")}) })
	if err != nil {
		t.Fatal(err)
	}
	if len(w.server.Writes()) != 1 {
		t.Errorf("the writes were %v, want one", w.server.Writes())
	}
	w.wantValues(map[string]string{"a": "v2"})
}

func TestAPushDuringTheApplyIsWokenAtTheRelease(t *testing.T) { // rule 14: release, or go on
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	if err := w.interrupt("apply", false, func() { w.push(map[string]string{"a.yaml": configMap("a", "k: v2")}) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(w.queue.woken, w.app.Key()) {
		t.Fatal("nobody is woken for the newer commit")
	}
	w.mustSync()
	w.wantValues(map[string]string{"a": "v2"})
}

func TestATakeoverTouchesEveryObjectOnce(t *testing.T) { // rule 11
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	died := func() {
		now := time.Now()
		if _, err := w.stores.Records.Update(t.Context(), w.app.Key(), func(r *record.Record) error {
			return r.Take("dead", now, now.Add(-record.Grace-time.Second))
		}); err != nil {
			t.Fatal(err)
		}
	}
	died()
	w.server.Take()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1"), "c.yaml": configMap("c", "k: v1")})
	w.mustSync()
	if got := len(w.server.Writes()); got != 3 {
		t.Fatalf("%d writes, want one of each object: %v", got, w.server.Writes())
	}
	fence := w.server.Live(cm("a")).GetAnnotations()[manifest.FenceNote]
	if fence == "" {
		t.Fatal("a carries no fence")
	}
	w.server.Take()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2"), "b.yaml": configMap("b", "k: v1"), "c.yaml": configMap("c", "k: v1")})
	w.mustSync()
	if got := len(w.server.Writes()); got != 1 {
		t.Errorf("%d writes after the takeover is done with, want 1: %v", got, w.server.Writes())
	}
}

func TestARunThatFailedInATakeoverLeavesItToTheNext(t *testing.T) { // rule 11: a release without having touched all
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.server.Refuse(cm("b"), fault.New(fault.Invalid, "refused"))
	if err := w.sync(); err == nil {
		t.Fatal("the run did not fail")
	}
	if l := w.record().Lock; l.Owner != "" || l.Clean || l.Takeover == 0 {
		t.Errorf("the lock is left as %+v", l)
	}
	w.server.Refuse(cm("b"), nil)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v2")})
	w.mustSync()
	if l := w.record().Lock; !l.Clean || l.Takeover != 0 {
		t.Errorf("the lock is left as %+v", l)
	}
}

func TestAWriteWithoutAnAnswerMakesTheNextRunTakeOver(t *testing.T) { // rule 11: it may still arrive
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	w.server.Around(func(op string, call func() error) error {
		if op == "apply" {
			return fault.InFlight(fault.New(fault.Unavailable, "connection reset"))
		}
		return call()
	})
	if err := w.sync(); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the error is %v", err)
	}
	w.server.Around(nil)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")}) // wanted again is what is live
	w.server.Take()
	w.mustSync()
	if len(w.server.Writes()) != 1 {
		t.Errorf("the writes were %v, want the object touched", w.server.Writes())
	}
}

func TestAnObjectOfANewKindIsFoundAgainAfterAFailure(t *testing.T) { // nothing orphaned: the kind is written down first
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	service := manifest.ID{Kind: "Service", Namespace: "production", Name: "s"}
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "s.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  clusterIP: None\n"})
	w.server.Around(func(op string, call func() error) error {
		err := call()
		if op == "apply" {
			return fault.InFlight(fault.New(fault.Unavailable, "the answer was lost"))
		}
		return err
	})
	_ = w.sync() // it fails after its first apply
	w.server.Around(nil)
	if w.server.Live(service) == nil {
		t.Fatal("the failure came before the Service was made")
	}
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.successor()
	if w.server.Live(service) != nil {
		t.Error("the Service is orphaned")
	}
}
