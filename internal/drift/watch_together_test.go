package drift

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/fault"
	"slipway/test/server"
)

// A sync, a sweep, people and a watch with its successors work on one application at once. Each request takes as long as a
// seed says, so that they meet in every way. Nobody ever touches "calm" but the syncs: nothing may be found there. Only "x"
// leaves git and comes back. Each edit is of another field, so none has to wait; what people did is healed by the watch
// alone soon after all is quiet.
func TestASyncASweepAWatchAndEditsAtOnce(t *testing.T) {
	for seed := range uint64(shifts) {
		synctest.Test(t, func(t *testing.T) {
			c := &company{t: t, seed: seed, dice: rand.New(rand.NewPCG(seed, 7))} //nolint:gosec // a seed that can be repeated
			c.w, c.s = newMemory(t)
			c.commit()
			c.sync()
			c.s.Around(func(_ string, call func() error) error {
				time.Sleep(c.roll(80 * time.Millisecond))
				return call()
			})
			c.work()
			c.end()
		})
		if t.Failed() {
			return
		}
	}
}

// company is who works there.
type company struct {
	t     *testing.T
	seed  uint64
	w     *world
	s     *server.Server
	mu    sync.Mutex
	dice  *rand.Rand
	edits int
	withX bool
}

func (c *company) roll(most time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(c.dice.Int64N(int64(most)))
}

const (
	shift = 9 * time.Second
	keys  = 6 // of a, that people edit
)

// work is one shift: the watch hands over twice in it.
func (c *company) work() {
	ctx, cancel := context.WithTimeout(c.t.Context(), shift)
	defer cancel()
	var all sync.WaitGroup
	often := func(most time.Duration, do func()) {
		all.Go(func() {
			for pause(ctx, c.roll(most)) {
				do()
			}
		})
	}
	often(600*time.Millisecond, c.edit)
	often(3*time.Second, func() { c.commit(); c.sync() })
	often(4*time.Second, c.sweep)
	var last *watched
	for range 3 {
		run := c.w.watch(WatchLimit)
		if last != nil {
			<-last.done
			c.judge(last.rep, last.err)
		}
		last = run
		pause(ctx, shift/3+c.roll(time.Second))
	}
	all.Wait()
	c.quiet(last)
}

func (c *company) edit() {
	c.mu.Lock()
	c.edits++
	n, who := c.edits, c.dice.IntN(3)
	c.mu.Unlock()
	switch who {
	case 0:
		c.s.Drop(cm("b"))
	case 1:
		c.s.Edit(cm("a"), "person", set(fmt.Sprintf("k%d", n%keys), fmt.Sprint("edit ", n)))
	default:
		c.s.Edit(cm("a"), "person", func(o map[string]any) {
			if d, ok := o["data"].(map[string]any); ok {
				delete(d, fmt.Sprintf("k%d", n%keys))
			}
		})
	}
}

func (c *company) commit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := fmt.Sprint("v", c.w.commits)
	var lines []string
	for i := range keys {
		lines = append(lines, fmt.Sprintf("k%d: git", i))
	}
	text := configMap("a", lines...) + configMap("b", "k: git") + configMap("calm", "k: "+v, "j: v")
	if c.withX = c.dice.IntN(2) == 0; c.withX {
		text += configMap("x", "k: git")
	}
	c.w.push(text)
}

func (c *company) sync() {
	d, _ := c.w.process(c.w.stores)
	err := d.Sync(c.t.Context(), c.w.app.Key(), false)
	switch {
	case err == nil, fault.Is(err, fault.Busy), fault.Is(err, fault.Superseded), fault.Is(err, fault.Unavailable), fault.Is(err, fault.Unfinished):
	default:
		c.t.Errorf("seed %d: sync: %v", c.seed, err)
	}
}

func (c *company) sweep() {
	_, d := c.w.process(c.w.stores)
	c.judge(d.Sweep(c.t.Context(), here))
}

func (c *company) judge(rep Report, err error) {
	if err != nil {
		c.t.Errorf("seed %d: %v", c.seed, err)
	}
	for _, f := range rep.Findings {
		if f.Name == "calm" || f.Outcome == Extra && f.Name != "x" || f.Outcome == Missing && f.Name != "b" {
			c.t.Errorf("seed %d: a false finding: %+v", c.seed, f)
		}
	}
}

// quiet waits until the last watch alone has healed what people did, but for what was healed too often of late.
func (c *company) quiet(last *watched) {
	c.s.Around(nil)
	if c.w.pending() {
		c.sync()
	}
	time.Sleep(2 * time.Second)
	heals := c.w.known().Heals
	for _, field := range append(c.fields(), "b") {
		at, fight := heals.next(c.key(field), time.Now())
		if c.value(field) != "git" && !fight && !at.After(time.Now()) {
			c.t.Errorf("seed %d: a lost heal: %s is %q", c.seed, field, c.value(field))
		}
	}
	last.cancel()
	<-last.done
	c.judge(last.rep, last.err)
}

func (c *company) fields() (out []string) {
	for i := range keys {
		out = append(out, fmt.Sprint("k", i))
	}
	return out
}

// key is what the memory calls a field of a, or the object b.
func (c *company) key(field string) string {
	if field == "b" {
		return cm("b").String()
	}
	return cm("a").String() + " .data." + field
}

func (c *company) value(field string) string {
	if field == "b" {
		return data(c.s, "b", "k")
	}
	return data(c.s, "a", field)
}

// end waits out the backoff of fields that were edited twice.
func (c *company) end() {
	time.Sleep(forget + time.Second)
	for range 2 {
		c.sweep()
		time.Sleep(6 * time.Minute)
	}
	for _, field := range append(c.fields(), "b") {
		if got := c.value(field); got != "git" {
			c.t.Errorf("seed %d: in the end %s is %q", c.seed, field, got)
		}
	}
	if got, want := data(c.s, "calm", "k"), fmt.Sprint("v", c.w.commits-1); got != want {
		c.t.Errorf("seed %d: in the end calm is %q, want %q", c.seed, got, want)
	}
	if got := data(c.s, "x", "k"); (got == "gone") == c.withX {
		c.t.Errorf("seed %d: in the end x is %q, in git: %v", c.seed, got, c.withX)
	}
	c.s.Take()
	if rep := c.w.sweep(); rep.Suspects > 0 || c.s.Take() != nil {
		c.t.Errorf("seed %d: it is not quiet: %+v", c.seed, rep)
	}
}
