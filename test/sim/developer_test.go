package sim

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"slipway/internal/invoke"
	"slipway/internal/revision"
)

// develop pushes until the time of calm: commits, reverts, commits that change nothing, and force-pushes.
func (w *world) develop(r *rand.Rand) {
	for {
		time.Sleep(between(r, 10*time.Second, 150*time.Second))
		if !time.Now().Before(w.calm) {
			return
		}
		b := w.branches[r.IntN(len(w.branches))]
		for range 1 + r.IntN(6)/4 { // now and then the next push comes at once
			w.mu.Lock()
			w.push(r, b)
			w.mu.Unlock()
			time.Sleep(between(r, 100*time.Millisecond, 5*time.Second))
		}
	}
}

func (w *world) push(r *rand.Rand, b revision.Source) {
	tip := w.git.tip(b)
	past := w.git.branches[b][r.IntN(len(w.git.branches[b]))].sha
	next := w.git.commits[tip].content.clone()
	how := ""
	switch n := r.IntN(10); {
	case n < 5:
		how = "commit"
		w.edit(r, next, b)
	case n < 7:
		how, next = "revert to "+past.Short(), w.git.commits[past].content
	case n < 8:
		how = "commit that changes nothing"
	case n < 9:
		how = "force-push back"
		w.move(r, b, past, how)
		return
	default:
		how, tip = "force-push beside, from "+past.Short(), past
		next = w.git.commits[past].content.clone()
		w.edit(r, next, b)
	}
	w.move(r, b, w.git.commit(tip, next), how)
}

// edit changes, adds or removes objects of some applications of a branch.
func (w *world) edit(r *rand.Rand, c content, b revision.Source) {
	for _, a := range w.apps {
		if a.source != b || r.IntN(2) == 0 {
			continue
		}
		if c[a.folder] == nil {
			c[a.folder] = map[string]string{}
		}
		object := fmt.Sprintf("%s-%d", a.folder, r.IntN(4))
		switch {
		case r.Float64() < w.temper.poison:
			if clear(c[a.folder]); r.IntN(2) == 0 {
				c[a.folder][object] = poison
			}
		case r.IntN(4) == 0 && len(c[a.folder]) > 1:
			delete(c[a.folder], object)
		default:
			c[a.folder][object] = fmt.Sprintf("v%d", len(w.git.commits))
		}
		for o, v := range c[a.folder] {
			if v == poison && o != object { // the next commit mends it
				c[a.folder][o] = "mended"
			}
		}
	}
}

// move sets a branch and lets its webhooks go out: once, never, twice, late, and again much later by hand.
func (w *world) move(r *rand.Rand, b revision.Source, sha revision.SHA, how string) {
	w.git.set(b, sha)
	w.log("developer: %s: %s is at %s now", how, b, sha.Short())
	w.deliveries++
	m := revision.Move{Repository: b.Repository, Ref: b.Ref, Hint: sha, Delivery: fmt.Sprintf("delivery-%d", w.deliveries)}
	late := between(r, 50*time.Millisecond, 3*time.Second)
	if w.quiet {
		w.deliver(m, late)
		return
	}
	if r.Float64() < w.temper.late {
		late = between(r, time.Second, 2*time.Minute)
	}
	if r.Float64() >= w.temper.lost {
		w.deliver(m, late)
	}
	if r.Float64() < w.temper.twice {
		w.deliver(m, late+between(r, time.Millisecond, 2*time.Second))
		again := m
		again.Delivery += "-again"
		w.deliver(again, between(r, time.Second, 10*time.Minute))
	}
}

// deliver is the webhook function: it queues the move. After the time of calm nothing old comes any more.
func (w *world) deliver(m revision.Move, after time.Duration) {
	at := time.Now().Add(after)
	if !w.quiet && at.After(w.calm) {
		return
	}
	w.background.Go(func() {
		time.Sleep(after)
		w.mu.Lock()
		defer w.mu.Unlock()
		m.Received = time.Now().UnixMilli()
		if err := w.moves.send(invoke.MoveGroup(m), m.Delivery, m); err != nil {
			w.t.Error(err)
		}
	})
}

// mend pushes to every branch what every application can take.
func (w *world) mend(r *rand.Rand) {
	for _, b := range w.branches {
		tip := w.git.tip(b)
		next := w.git.commits[tip].content.clone()
		for _, a := range w.apps {
			if a.source == b {
				next[a.folder] = map[string]string{a.folder + "-0": fmt.Sprintf("v%d", len(w.git.commits)), a.folder + "-3": "mended"}
			}
		}
		w.move(r, b, w.git.commit(tip, next), "mend all")
	}
}

func (c content) clone() content {
	out := content{}
	for k, v := range c {
		out[k] = maps.Clone(v)
	}
	return out
}

// refused reports whether a tip is one that its application cannot go to.
func refused(objects map[string]string) bool {
	return len(objects) == 0 || slices.Contains(slices.Collect(maps.Values(objects)), poison)
}
