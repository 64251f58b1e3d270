package deploy

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/fault"
	"slipway/internal/record"
)

func many(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("c%03d.yaml", i)] = configMap(fmt.Sprintf("c%03d", i), "k: v1")
	}
	return files
}

// slow makes each request take d.
func (w *world) slow(ops map[string]time.Duration) {
	w.server.Around(func(op string, call func() error) error { time.Sleep(ops[op]); return call() })
}

func TestALargeKindIsAppliedInTurns(t *testing.T) { // faults 15: the time may end within one kind
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.push(many(400))
		w.slow(map[string]time.Duration{"apply": 4 * time.Second}) // 200 s with 8 at once
		turns, last := 0, 0
		for done := false; !done; turns++ {
			ctx, cancel := context.WithTimeout(t.Context(), 118*time.Second)
			err := w.deploy.Sync(ctx, w.app.Key(), false)
			cancel()
			n := len(w.server.Writes())
			switch {
			case err == nil:
				done = true
			case !fault.Is(err, fault.Unfinished) || n <= last:
				t.Fatalf("turn %d ends with %v after %d writes", turns+1, err, n)
			}
			if l := w.record().Lock; l.Owner != "" || !done && l.Takeover == 0 {
				t.Fatalf("turn %d leaves the lock as %+v", turns+1, l)
			}
			last = n
		}
		if turns != 3 || last != 400 {
			t.Errorf("%d turns and %d writes, want 3 and 400: nothing is touched twice", turns, last)
		}
	})
}

func TestARunStopsBeforeItsLeaseEndsWhateverItsTime(t *testing.T) { // faults C.4
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.push(many(400))
		w.slow(map[string]time.Duration{"apply": 4 * time.Second})
		start := time.Now()
		if err := w.sync(); !fault.Is(err, fault.Unfinished) { // no deadline of its own
			t.Fatalf("the error is %v", err)
		}
		if took := time.Since(start); took > DefaultLease-closing {
			t.Errorf("it wrote for %s, its lease is %s", took, DefaultLease)
		}
	})
}

func TestNoWriteIsBegunThatCannotEndInTime(t *testing.T) { // it would be in flight, and all be touched by the next run, for ever
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.push(many(16))
		w.slow(map[string]time.Duration{"list": 112 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 118*time.Second)
		defer cancel()
		err := w.deploy.Sync(ctx, w.app.Key(), false)
		if !fault.Is(err, fault.Unavailable) || len(w.server.Writes()) != 0 {
			t.Errorf("the error is %v after %d writes", err, len(w.server.Writes()))
		}
		if len(w.queue.woken) != 0 {
			t.Error("it wakes itself at once, and would for ever")
		}
	})
}

// Absence has no resourceVersion, so each further creation of a stale run would take effect.
func TestARunThatLostItsFenceBeginsNoFurtherWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
		w.mustSync()
		files := many(200)
		files["a.yaml"] = configMap("a", "k: v2") // sorts first
		w.push(files)
		resumed := make(chan struct{})
		var pause sync.Once
		w.server.Around(func(op string, call func() error) error {
			if op == "apply" {
				pause.Do(func() {
					w.push(map[string]string{"a.yaml": configMap("a", "k: v3")})
					w.successor()
					w.server.Take()
					close(resumed)
				})
				<-resumed // the process was paused, not one of its goroutines
			}
			time.Sleep(time.Millisecond)
			return call()
		})
		w.returned(w.sync())
		if n := len(w.server.Writes()); n > 4*parallel {
			t.Errorf("it made %d objects after it had lost its lock", n)
		}
	})
}

func TestAClusterThatIsAwayIsNotAskedForEachObject(t *testing.T) {
	w := newWorld(t)
	w.push(many(200))
	var applies atomic.Int32
	w.server.Around(func(op string, call func() error) error {
		if op == "apply" {
			applies.Add(1)
			return fault.New(fault.Unavailable, "connection refused")
		}
		return call()
	})
	if err := w.sync(); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the error is %v", err)
	}
	if n := applies.Load(); n > 3*parallel {
		t.Errorf("%d tries", n)
	}
}

func TestARefusedObjectLetsTheRestOfItsKindBeApplied(t *testing.T) { // faults 21, 22
	w := newWorld(t)
	files := many(20)
	files["s.yaml"] = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  clusterIP: None\n"
	w.push(files)
	var applies atomic.Int32
	w.server.Around(func(op string, call func() error) error {
		if op == "apply" && applies.Add(1) == 7 {
			return fault.New(fault.Denied, "a webhook that does not see dry runs says no")
		}
		return call()
	})
	if err := w.sync(); !fault.Is(err, fault.Denied) {
		t.Fatalf("the error is %v", err)
	}
	if n := len(w.server.Writes()); n != 19 {
		t.Errorf("%d writes, want the 19 other ConfigMaps and no Service", n)
	}
	if h := w.record().History[0]; h.Applied != 19 || h.Outcome != record.Failed {
		t.Errorf("the record says %+v", h)
	}
}

func TestAPruneIsGoneOnWithAfterARefusalAndFailsTheRun(t *testing.T) { // faults 23
	w := newWorld(t)
	files := many(10)
	w.push(files)
	w.mustSync()
	w.server.Refuse(cm("c003"), fault.New(fault.Denied, "delete ConfigMap production/c003: a webhook says no"))
	w.push(map[string]string{"c000.yaml": files["c000.yaml"]})
	if err := w.sync(); !fault.Is(err, fault.Denied) {
		t.Fatalf("the error is %v", err)
	}
	if n := len(w.server.Objects()); n != 2 {
		t.Errorf("%d objects are left, want what is wanted and the survivor", n)
	}
	if h := w.record().History[0]; h.Pruned != 8 || h.Outcome != record.Failed || len(h.Notes) != 1 {
		t.Errorf("the record says %+v", h)
	}
	w.server.Refuse(cm("c003"), nil)
	w.mustSync()
	if w.server.Live(cm("c003")) != nil {
		t.Error("the next run does not ask again")
	}
}
