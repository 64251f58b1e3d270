package revision_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	. "slipway/internal/revision"
)

// world is one branch on a host that may show an old tip for less than a minute, the record of one application, and
// the moves on their way. Commits are numbers; 0 is the first.
type world struct {
	rnd     *rand.Rand
	choose  func(Look) Decision
	now     time.Duration
	parent  []int
	tips    []tip // in the order of the pushes
	setBack bool  // some push was forced

	ver, wanted int // wanted: -1 for none
	suspect     int // -1 for none
	seen        time.Duration
	fetches     [2]fetching
	moves       []move
	broken      string
}

type tip struct {
	at     time.Duration
	commit int
}

type move struct {
	visible, received time.Duration
	hint, looks       int // hint: -1 for none
}

// fetching is a run between two of its steps: any other step may come between them.
type fetching struct {
	step        int // 0 idle, 1 the record is read, 2 the tip is read
	move        move
	ver, wanted int
	suspect     int
	seen, begun time.Duration
	tip         int
}

const lag = 59 * time.Second

func id(commit int) SHA {
	if commit < 0 {
		return ""
	}
	return SHA(fmt.Sprintf("%040x", commit))
}

func (w *world) ancestor(old, commit int) bool {
	for ; commit >= 0; commit = w.parent[commit] {
		if commit == old {
			return true
		}
	}
	return false
}

func (w *world) relation(base, head int) Relation {
	switch {
	case base < 0 || head < 0:
		return ""
	case base == head:
		return Identical
	case w.ancestor(base, head):
		return Ahead
	case w.ancestor(head, base):
		return Behind
	}
	return Diverged
}

func (w *world) tip() int { return w.tips[len(w.tips)-1].commit }

// read is the tip, or one that was the tip less than lag ago.
func (w *world) read(stale bool) int {
	first := len(w.tips) - 1
	for first > 0 && stale && w.now-w.tips[first].at < lag {
		first--
	}
	return w.tips[first+w.rnd.IntN(len(w.tips)-first)].commit
}

// push moves the branch: mostly on, sometimes back to an old commit or to a new one beside. Its webhook is delivered
// late, twice or never.
func (w *world) push() {
	from, back := w.tip(), w.rnd.IntN(4) == 0
	for range w.rnd.IntN(3) {
		if back && w.parent[from] >= 0 {
			from = w.parent[from]
		}
	}
	to := from
	if !back || w.rnd.IntN(2) == 0 || from == w.tip() {
		w.parent = append(w.parent, from)
		to = len(w.parent) - 1
	}
	w.setBack = w.setBack || !w.ancestor(w.tip(), to)
	w.tips = append(w.tips, tip{w.now, to})
	for range w.rnd.IntN(3) {
		w.moves = append(w.moves, move{visible: w.now + w.upTo(2*time.Minute), received: w.now, hint: to})
	}
}

func (w *world) upTo(d time.Duration) time.Duration { return time.Duration(w.rnd.Int64N(int64(d))) }

// fetch makes one step of one run. Any visible move may come next: order of arrival means nothing.
func (w *world) fetch(f *fetching, stale bool) {
	switch f.step {
	case 0:
		for i, m := range w.moves {
			if m.visible <= w.now && w.rnd.IntN(2) == 0 {
				w.moves = append(w.moves[:i:i], w.moves[i+1:]...)
				*f = fetching{step: 1, move: m, ver: w.ver, wanted: w.wanted, suspect: w.suspect, seen: w.seen}
				return
			}
		}
	case 1:
		f.step, f.begun, f.tip = 2, w.now, w.read(stale)
	case 2:
		w.decide(f)
	}
}

func (w *world) decide(f *fetching) {
	m := f.move
	m.looks++
	f.step = 0
	d := w.choose(Look{
		Wanted: id(f.wanted), Tip: id(f.tip), Relation: w.relation(f.wanted, f.tip), SuspectTip: id(f.suspect), SuspectSeen: noon.Add(f.seen),
		Now: noon.Add(f.begun), Hint: id(m.hint), HintRelation: w.relation(f.tip, m.hint), HintAge: w.now - m.received,
	})
	if w.ver != f.ver && d.Action != Wait { // rule 3: also for a decision to skip
		m.visible = w.now
		w.moves = append(w.moves, m)
		return
	}
	switch d.Action {
	case Skip:
		w.suspect, w.ver = -1, w.ver+1
		return
	case Go, GoForced:
		if d.Action == Go && w.wanted >= 0 && !w.ancestor(w.wanted, f.tip) {
			w.fail("goes unmarked from %d to %d", w.wanted, f.tip)
		}
		if d.Action == GoForced && !w.setBack {
			w.fail("marks %d as forced, and no push was", f.tip)
		}
		w.wanted, w.suspect, w.ver = f.tip, -1, w.ver+1
		return
	case Suspect:
		if w.suspect != f.tip {
			w.suspect, w.seen, w.ver = f.tip, w.now, w.ver+1
		}
	case Wait:
	}
	m.visible = w.now + d.After
	if m.looks > 50 {
		w.fail("looks for ever")
	}
	w.moves = append(w.moves, m)
}

func (w *world) fail(format string, args ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf(format, args...)
	}
}

// run is one history: pushes, deliveries, stale reads, crashes and pauses; then quiet, in which the sweep looks.
func run(seed uint64, choose func(Look) Decision) *world {
	w := &world{rnd: rand.New(rand.NewPCG(seed, 0)), choose: choose, parent: []int{-1}, tips: []tip{{0, 0}}, wanted: -1, suspect: -1} //nolint:gosec // a simulation
	for range 120 {
		w.now += w.upTo(15 * time.Second)
		f := &w.fetches[w.rnd.IntN(2)]
		switch w.rnd.IntN(12) {
		case 0:
			w.push()
		case 1: // the run dies: its move comes back
			if f.step > 0 {
				f.move.visible = w.now + time.Minute
				w.moves = append(w.moves, f.move)
				f.step = 0
			}
		case 2: // everything pauses
			w.now += w.upTo(3 * time.Minute)
		default:
			w.fetch(f, true)
		}
	}
	w.now += lag
	for range 3 {
		w.moves = append(w.moves, move{visible: w.now, received: w.now, hint: -1})
		for n := 0; len(w.moves) > 0 || w.fetches[0].step+w.fetches[1].step > 0; n++ {
			w.now += time.Second
			w.fetch(&w.fetches[w.rnd.IntN(2)], false)
			if n > 10_000 {
				w.fail("never comes to rest")
				return w
			}
		}
	}
	if w.wanted != w.tip() {
		w.fail("ends at %d, the tip is %d", w.wanted, w.tip())
	}
	return w
}

// Faults C.3: for any interleaving of pushes, deliveries, duplicates and stale reads, the final wanted is the final tip,
// and the sequence of wanted is a path in the graph of commits unless marked forced.
func TestWhateverHappensTheTipIsWantedInTheEndAndNothingGoesBackUnmarked(t *testing.T) {
	seeds, setBack := uint64(4000), 0
	for seed := range seeds {
		w := run(seed, Choose)
		if w.broken != "" {
			t.Fatalf("seed %d: %s", seed, w.broken)
		}
		if w.setBack {
			setBack++
		}
	}
	if setBack < 1000 || setBack > 3900 {
		t.Errorf("%d of %d histories have a forced push: the simulation sees too little", setBack, seeds)
	}
}

// Each row drops a rule. A simulation that does not notice would prove nothing.
func TestTheSimulationNoticesADroppedRule(t *testing.T) {
	for name, choose := range map[string]func(Look) Decision{
		"ancestry": func(l Look) Decision {
			l.Relation = Ahead
			return Choose(l)
		},
		"the second look": func(l Look) Decision {
			if d := Choose(l); d.Action != Suspect {
				return d
			}
			return Decision{Action: GoForced}
		},
		"60 s between the two looks": func(l Look) Decision {
			l.SuspectSeen = l.Now.Add(-Stale)
			return Choose(l)
		},
		"going back at all": func(l Look) Decision {
			if d := Choose(l); d.Action != GoForced {
				return d
			}
			return Decision{Action: Skip}
		},
		"the end of waiting for the host": func(l Look) Decision {
			l.HintAge = 0
			return Choose(l)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4000) {
				if run(seed, choose).broken != "" {
					return
				}
			}
			t.Error("nothing broke")
		})
	}
}
