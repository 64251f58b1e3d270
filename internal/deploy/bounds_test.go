package deploy

import (
	"slices"
	"strconv"
	"testing"

	"slipway/internal/fault"
)

func TestAnObjectThatNeverStandsStillIsLeftForTheNextRun(t *testing.T) { // faults 30: every retry has a bound
	for _, op := range []string{"apply", "delete"} {
		t.Run(op, func(t *testing.T) {
			w := newWorld(t)
			w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
			w.mustSync()
			w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
			tries := 0
			w.server.Around(func(got string, call func() error) error {
				if got != op {
					return call()
				}
				tries++
				return fault.New(fault.Conflict, "the object has been modified")
			})
			if err := w.sync(); !fault.Is(err, fault.Unavailable) || tries != rewrites {
				t.Errorf("it ends with %v after %d tries", err, tries)
			}
			w.server.Around(nil)
			w.mustSync()
			w.wantValues(map[string]string{"a": "v2", "b": ""})
		})
	}
}

func TestARunThatIsOvertakenAgainAndAgainStops(t *testing.T) { // faults C.3: restarts are bounded
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v0")})
	n := 0
	w.server.Around(func(op string, call func() error) error {
		if op == "target" && n < 20 {
			n++
			w.push(map[string]string{"a.yaml": configMap("a", "k: v"+strconv.Itoa(n))})
		}
		return call()
	})
	if err := w.sync(); !fault.Is(err, fault.Unfinished) || n != restarts {
		t.Errorf("it ends with %v after %d restarts", err, n)
	}
	if !slices.Contains(w.queue.woken, w.app.Key()) {
		t.Error("nobody goes on")
	}
}

func TestAnObjectMadeAnewBySomebodyElseIsNotPruned(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	if err := w.interrupt("delete", false, func() {
		w.server.Drop(cm("b"))
		w.server.Create("somebody", configMapObject("b", "k", "theirs"))
	}); err != nil {
		t.Fatal(err)
	}
	w.wantValues(map[string]string{"b": "theirs"})
}

func TestAnObjectThatIsNoLongerOursIsNotPruned(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	if err := w.interrupt("delete", false, func() { w.rewrite(cm("b"), unlabel) }); err != nil {
		t.Fatal(err)
	}
	w.wantValues(map[string]string{"b": "v1"})
}
