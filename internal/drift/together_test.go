package drift

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/test/server"
)

const interleavings = 1000

// Syncs, sweeps and people work on one application at once: before each request of one of them another may have its
// turn, as a seed decides. Nobody ever touches "calm" but the syncs, so nothing may be found there; only "x" leaves git
// and comes back; and in the end everything is as git says.
func TestASyncASweepAndEditsAtOnce(t *testing.T) {
	for seed := range uint64(interleavings) {
		synctest.Test(t, func(t *testing.T) {
			p := &play{t: t, dice: rand.New(rand.NewPCG(seed, 4)), seed: seed} //nolint:gosec // a seed that can be repeated
			p.w, p.s = newMemory(t)
			p.commit()
			p.sync()
			p.s.Around(p.between)
			for range 12 {
				p.turn()
				time.Sleep(time.Duration(p.dice.IntN(3000)) * time.Millisecond)
			}
			p.s.Around(nil)
			p.end()
		})
		if t.Failed() {
			return
		}
	}
}

type play struct {
	t      *testing.T
	mu     sync.Mutex // held by whoever has a turn within another's
	dice   *rand.Rand
	seed   uint64
	w      *world
	s      *server.Server
	depth  int
	n      int
	withX  bool
	script []string
}

func (p *play) between(_ string, call func() error) error {
	if p.mu.TryLock() { // a run's requests come side by side; one of them at a time meets somebody
		if p.dice.IntN(6) == 0 {
			p.turn()
		}
		p.mu.Unlock()
	}
	return call()
}

// turn is what one of them does.
func (p *play) turn() {
	p.depth++
	defer func() { p.depth-- }()
	switch p.dice.IntN(9) {
	case 0, 1:
		p.n++
		p.say("edit a")
		p.s.Edit(cm("a"), "person", set("k", fmt.Sprint("edit ", p.n)))
	case 2:
		p.say("delete b")
		p.s.Drop(cm("b"))
	case 3:
		p.commit()
	case 4, 5:
		p.sync()
	default:
		p.sweep()
	}
}

func (p *play) say(what string) { p.script = append(p.script, strings.Repeat("  ", p.depth)+what) }

func (p *play) text() string {
	v := fmt.Sprint("v", p.w.commits)
	text := configMap("a", "k: v") + configMap("b", "k: v") + configMap("calm", "k: "+v, "j: v")
	if p.withX {
		text += configMap("x", "k: v")
	}
	return text
}

func (p *play) commit() {
	p.withX = p.dice.IntN(2) == 0
	p.say(fmt.Sprint("commit, x ", p.withX))
	p.w.push(p.text())
}

func (p *play) sync() {
	p.say("sync")
	d, _ := p.w.process(p.w.stores)
	ctx := p.t.Context()
	if p.depth > 1 { // within a heal, which it would wait for and which waits for it
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		ctx = short
	}
	err := d.Sync(ctx, p.w.app.Key(), false)
	switch {
	case err == nil, fault.Is(err, fault.Busy), fault.Is(err, fault.Superseded), fault.Is(err, fault.Unavailable), fault.Is(err, fault.Unfinished):
	default:
		p.fail("sync: %v", err)
	}
}

func (p *play) sweep() {
	p.say("sweep")
	d := p.w.drift
	if p.dice.IntN(2) == 0 {
		_, d = p.w.process(p.w.stores)
	}
	rep, err := d.Sweep(p.t.Context(), app.Cluster{Name: "real"})
	if err != nil {
		p.fail("sweep: %v", err)
	}
	for _, f := range rep.Findings {
		p.say(fmt.Sprintf("found %s %s healed %v %s", f.Outcome, f.Name, f.Healed, f.Because))
		if f.Name == "calm" || f.Outcome == Extra && f.Name != "x" || f.Outcome == Missing && f.Name != "b" {
			p.fail("a false finding: %+v", f)
		}
	}
}

// end lets all finish and waits out the backoff.
func (p *play) end() {
	p.w.finish()
	time.Sleep(forget + time.Second)
	for range 3 {
		p.sweep()
		time.Sleep(6 * time.Minute)
	}
	for name, want := range map[string]string{"a": "v", "b": "v", "calm": fmt.Sprint("v", p.w.commits-1)} {
		if got := data(p.s, name, "k"); got != want {
			p.fail("in the end %s is %q, want %q", name, got, want)
		}
	}
	if got := data(p.s, "x", "k"); (got == "gone") == p.withX {
		p.fail("in the end x is %q, in git: %v", got, p.withX)
	}
	p.s.Take()
	if rep := p.w.sweep(); rep.Suspects > 0 || p.s.Take() != nil {
		p.fail("it is not quiet: %+v", rep)
	}
}

func (p *play) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("seed %d: %s\n%s", p.seed, fmt.Sprintf(format, args...), strings.Join(p.script, "\n"))
}
