package sim

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// story is one seed's life: torment, calm, one application out of reach, calm, and at last everything applied again.
func (w *world) story() {
	r := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(uint64(w.seed), stream)) }
	for i := range 2 + w.below(2, "processes") {
		time.Sleep(w.within(time.Millisecond, time.Second, "start", number(i))) // or they race for the first message
		w.processes = append(w.processes, w.start("P"+number(i+1)))
	}
	w.background.Go(func() { w.schedule(r(1)) })
	w.background.Go(func() { w.develop(r(2)) })
	w.torment(r(3))
	w.becalm()
	w.twoSweeps()
	w.converged("two quiet sweeps after the nemesis")

	w.fail()
	for i := range uint64(3) {
		w.beside(r(4+i), "push "+number(int(i)+1)+" beside an application that is out of reach")
	}
	w.recover()
	w.twoSweeps()
	w.converged("two sweeps after it came back")
	w.idle()
	w.again()
	w.end()
}

func (w *world) becalm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.quiet = true
	w.log("calm")
	for _, p := range w.processes {
		p.fuse, p.frost, p.theft = 0, 0, 0
	}
}

// twoSweeps waits for two whole sweeps and for what they have set going, but not for a third.
func (w *world) twoSweeps() {
	w.mu.Lock()
	until := w.sweeps + 2
	w.mu.Unlock()
	for {
		time.Sleep(time.Second)
		w.mu.Lock()
		swept := w.sweeps
		w.mu.Unlock()
		if swept >= until {
			break
		}
	}
	w.settle(4 * time.Minute)
}

// settle waits until both queues are empty: every delivery has ended (I7).
func (w *world) settle(most time.Duration) {
	end := time.Now().Add(most)
	for w.moves.base.Len()+w.syncs.base.Len() > 0 {
		if time.Now().After(end) {
			w.mu.Lock()
			w.history.breaks("I7", "%d moves and %d wake-ups have not ended", w.moves.base.Len(), w.syncs.base.Len())
			w.mu.Unlock()
			return
		}
		time.Sleep(time.Second)
	}
}

// fail puts one application's part of the state or the cluster out of reach.
func (w *world) fail() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failingApp = w.apps[w.below(len(w.apps), "failing")].name
	w.failingIn = [...]string{toState, toCluster}[w.below(2, "failing in")]
	w.log("%s is out of reach in the %s", w.failingApp, w.failingIn)
}

// besideTime is how long a push may take that shares its branch with what fails (I10): a minute for a tip that is beside
// what is wanted, and the longest pause of the move that tries the failing one again, with a minute's work.
const besideTime = 195 * time.Second

func (w *world) beside(r *rand.Rand, when string) {
	w.mu.Lock()
	w.mend(r)
	w.mu.Unlock()
	time.Sleep(besideTime)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.others(when)
}

func (w *world) recover() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log("%s can be reached again", w.failingApp)
	w.failingApp = ""
}

// converged: every application is at its tip, and so is the cluster (I5).
func (w *world) converged(when string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.others(when)
	for i, p := range w.processes {
		if p.dead {
			w.history.breaks("world", "process %d is dead %s", i, when)
		}
	}
}

func (w *world) others(when string) {
	for _, a := range w.apps {
		if a.name == w.failingApp {
			continue
		}
		w.applied(a, when)
	}
}

// applied holds one application to its tip. A tip that nobody can apply is refused, for all to see.
func (w *world) applied(a application, when string) {
	rec, err := w.stores.Records.Get(context.WithoutCancel(w.ctx), a.name)
	if err != nil && !fault.Is(err, fault.NotFound) {
		w.t.Fatal(err)
	}
	tip := w.git.tip(a.source)
	want := w.git.commits[tip].content[a.folder]
	rev := rec.Wanted.Revs[a.source.String()]
	switch {
	case len(want) == 0:
		if rec.Refused.Rev != tip {
			w.history.breaks("I5", "%s: %s does not refuse %s, which has no manifests", when, a.name, tip.Short())
		}
		return
	case rev != tip:
		w.history.breaks("I5", "%s: %s wants %s, the tip is %s", when, a.name, rev.Short(), tip.Short())
		return
	case refused(want):
		told := slices.ContainsFunc(rec.History, func(r record.Run) bool { return r.Seq == rec.Wanted.Seq && r.Outcome == record.RefusedRun })
		if rec.GivenUp != rec.Wanted.Seq || rec.Done.Seq == rec.Wanted.Seq || !told {
			w.history.breaks("I5", "%s: %s does not refuse %s, which is poisoned", when, a.name, tip.Short())
		}
		return
	case rec.Done.Seq != rec.Wanted.Seq:
		w.history.breaks("I5", "%s: %s wants %s and has not applied it (given up: %v)", when, a.name, rev.Short(), rec.GivenUp == rec.Wanted.Seq)
		return
	case rec.Lock.Owner != "" && rec.Lock.Until.After(time.Now()):
		w.history.breaks("I7", "%s: the lock of %s is still held by %s", when, a.name, rec.Lock.Owner)
	}
	got := w.live(a)
	for name := range got {
		if _, ok := want[name]; !ok && w.history.stale[idOf(name)] {
			delete(got, name) // the one write that cannot be refused: the next run finds it
		}
	}
	if !maps.Equal(got, want) {
		w.history.breaks("I5", "%s: %s has %v live, its tip %s has %v", when, a.name, got, tip.Short(), want)
	}
}

func (w *world) live(a application) map[string]string {
	out := map[string]string{}
	for id, u := range w.api.Objects() {
		if u.GetAnnotations()[manifest.ApplicationNote] == string(a.name) {
			out[id.Name] = valueOf(u)
		}
	}
	return out
}

// idle: a sweep of a system at rest sets nothing going (I9).
func (w *world) idle() {
	w.mu.Lock()
	sent, swept := w.moves.sent+w.syncs.sent, w.sweeps
	w.mu.Unlock()
	for {
		time.Sleep(time.Second)
		w.mu.Lock()
		if w.sweeps > swept {
			if more := w.moves.sent + w.syncs.sent - sent; more > 0 {
				w.history.breaks("I9", "a sweep of a system at rest sent %d messages", more)
			}
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
	}
}

// again has everything applied once more: whatever carries our mark is found, and goes if it is not wanted (I3).
func (w *world) again() {
	for _, a := range w.apps {
		time.Sleep(w.within(time.Millisecond, time.Second, string(a.name), "again"))
		w.mu.Lock()
		w.request(a.name)
		w.mu.Unlock()
	}
	w.settle(4 * time.Minute)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.apps {
		if got, want := w.live(a), w.git.commits[w.git.tip(a.source)].content[a.folder]; !maps.Equal(got, want) {
			w.history.breaks("I3", "%s has %v live after another run, its tip has %v", a.name, got, want)
		}
	}
}

// end bounds the work (I9) and stops the world.
func (w *world) end() {
	for _, p := range w.processes {
		p.stop()
		p.work.Wait()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for hour, n := range w.hour {
		if n > 2000 {
			w.history.breaks("I9", "%d invocations in hour %d", n, hour)
		}
	}
}
