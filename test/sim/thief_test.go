package sim

import (
	"context"
	"fmt"
	"time"

	"slipway/internal/app"
	"slipway/internal/queue"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// steal ends the lease of a lock whose holder is paused, as a process with a wrong clock or a person does (faults C.6, 19
// and 20), and has others work on the application before the holder goes on.
func (w *world) steal(name app.Name, key string) {
	time.Sleep(w.within(time.Second, 4*time.Second, key, "steal"))
	w.undo(name, key)
	w.mu.Lock()
	if w.dice.chance(0.2, key, "lose") && w.temper.lostRecord > 0 {
		w.lose(name)
	} else if _, err := w.stores.Records.Update(context.WithoutCancel(w.ctx), name, func(r *record.Record) error { r.Expire(); return nil }); err != nil {
		w.t.Error(err)
	}
	w.mu.Unlock()
	c, ok := w.syncs.copies.Receiver.(copies)
	if !ok {
		w.t.Error("no copies")
		return
	}
	for range 3 { // one may fall to the paused process
		time.Sleep(w.within(time.Second, 3*time.Second, key, "copy"))
		c.messages <- queue.Message{ID: "stolen", Group: queue.GroupID(string(name)), Body: fmt.Sprintf(`{"application":%q}`, name), Receives: 1, Receipt: "stolen"}
	}
}

// undo takes an application back to what was applied to it before, by a new commit that is fetched at once: what an
// old run has yet to write is then not what a newer one needs to write.
func (w *world) undo(name app.Name, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.history.apps[name]
	if p == nil || p.applied == "" || w.quiet || !w.dice.chance(w.temper.undone, key, "undo") {
		return
	}
	tip := w.git.tip(p.source)
	next := w.git.commits[tip].content.clone()
	folder := w.folder(name)
	next[folder] = w.git.commits[p.applied].content[folder]
	sha := w.git.commit(tip, next)
	w.git.set(p.source, sha)
	w.log("developer: undo %s: %s is at %s now", name, p.source, sha.Short())
	w.deliveries++
	w.deliver(revision.Move{Repository: p.source.Repository, Ref: p.source.Ref, Hint: sha, Delivery: fmt.Sprintf("undo-%d", w.deliveries)},
		w.within(time.Millisecond, 100*time.Millisecond, key, "undo after"))
}

func (w *world) folder(name app.Name) string {
	for _, a := range w.apps {
		if a.name == name {
			return a.folder
		}
	}
	return ""
}
