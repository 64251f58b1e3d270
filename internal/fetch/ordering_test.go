package fetch

import (
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/app"
	"slipway/internal/revision"
)

// However the deliveries come, the branch's tip is applied in the end, and never an older commit after a newer one
// unless it is marked.
func TestTheTipIsAppliedInTheEnd(t *testing.T) {
	const dt = 50 * time.Millisecond
	for name, play := range map[string]func(w *world){
		"two pushes, deliveries swapped": func(w *world) {
			a := hint(w.push("shop/app.yaml: 2"))
			time.Sleep(dt)
			b := hint(w.push("shop/app.yaml: 3"))
			w.deliver(b, a)
		},
		"two pushes, the first delivered again after the second": func(w *world) {
			a := hint(w.push("shop/app.yaml: 2"))
			w.deliver(a)
			time.Sleep(dt)
			b := hint(w.push("shop/app.yaml: 3"))
			w.deliver(a, b, a, a)
		},
		"two pushes, the second delivery lost": func(w *world) {
			a := hint(w.push("shop/app.yaml: 2"))
			w.host.stale = []revision.SHA{a.Hint} // read before the second push
			time.Sleep(dt)
			w.push("shop/app.yaml: 3")
			w.deliver(a)
			w.mustSweep()
		},
		"two pushes, both deliveries lost": func(w *world) {
			w.push("shop/app.yaml: 2")
			time.Sleep(dt)
			w.push("shop/app.yaml: 3")
			w.mustSweep()
		},
		"the oldest of five delivered last": func(w *world) {
			var all []revision.Move
			for _, text := range []string{"2", "3", "4", "5", "6"} {
				all = append(all, hint(w.push("shop/app.yaml: "+text)))
				time.Sleep(dt)
			}
			w.deliver(all[4], all[3], all[1], all[2], all[0])
		},
		"the oldest of five delivered last, by a host that is behind": func(w *world) {
			var all []revision.Move
			for _, text := range []string{"2", "3", "4", "5", "6"} {
				all = append(all, hint(w.push("shop/app.yaml: "+text)))
			}
			w.deliver(all[4])
			w.host.stale = []revision.SHA{all[0].Hint, all[1].Hint}
			w.deliver(all[0])
			w.mustSweep()
		},
		"a push and its revert before a sync": func(w *world) {
			a := hint(w.push("shop/app.yaml: 2"))
			w.mustMove(a)
			time.Sleep(dt)
			b := hint(w.push("shop/app.yaml: 1"))
			w.deliver(b)
		},
		"a push, its sync, and its revert delivered before it again": func(w *world) {
			a := hint(w.push("shop/app.yaml: 2"))
			w.deliver(a)
			b := hint(w.push("shop/app.yaml: 1"))
			w.deliver(b, a)
		},
		"a force-push back": func(w *world) {
			tip, _ := w.host.ref(repo, "main")
			w.deliver(hint(w.push("shop/app.yaml: 2")))
			w.set("main", tip)
			w.deliver(hint(tip))
		},
		"a force-push back, its delivery lost": func(w *world) {
			tip, _ := w.host.ref(repo, "main")
			w.deliver(hint(w.push("shop/app.yaml: 2")))
			w.set("main", tip)
			w.mustSweep()
		},
		"a force-push beside, then a push upon it within the minute": func(w *world) {
			first, _ := w.host.ref(repo, "main")
			w.deliver(hint(w.push("shop/app.yaml: 2")))
			w.set("main", w.commit(first, "shop/app.yaml: 3"))
			w.busy(bare)
			time.Sleep(30 * time.Second)
			w.deliver(hint(w.push("shop/app.yaml: 4")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				shop := w.declare("shop", "main")
				w.deliver(hint(w.push("shop/app.yaml: 1")))
				play(w)
				w.drain()
				w.applies(shop)
			})
		})
	}
}

func (w *world) deliver(all ...revision.Move) {
	w.t.Helper()
	for _, m := range all {
		w.queue(m)
		w.drain()
	}
}

// applies checks that the tip is applied and how it came to be.
func (w *world) applies(name app.Name) {
	w.t.Helper()
	tip, err := w.host.ref(repo, "main")
	if err != nil {
		w.t.Fatal(err)
	}
	w.wantRev(name, tip)
	r := w.record(name)
	if r.Pending() || r.Done.Digest != r.Wanted.Digest {
		w.t.Errorf("the tip is not applied: %+v", r)
	}
	w.forward(name)
}
