package drift

import (
	"maps"
	"slices"
	"sync"
	"time"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// An application that cannot be judged is looked at again after this time, twofold each time: while a sync is at work its
// record is read, and a cluster that does not answer is asked.
const (
	againAfter = 50 * time.Millisecond
	againBusy  = 800 * time.Millisecond // at most
	againDue   = 10 * time.Second       // at most: a sync that a person has to ask for, or that was refused, is due for days
	againError = 10 * time.Second       // at most
	againSame  = 10 * time.Second       // an object that was left as it is, and whose change may be of a status: a loop edits for days
	againOne   = 5 * time.Second        // one object of an application whose others could be judged
)

// changed is what watches have told of and nobody has judged yet, by application. Several objects of one are judged
// together, under one lock; those of another do not wait for them.
type changed struct {
	mu    sync.Mutex
	apps  map[app.Name]*waiting
	woken chan struct{} // something may be ready
}

type waiting struct {
	batch
	due   map[manifest.ID]time.Time // to be found at that time
	after time.Time                 // not before: it could not be judged
	tries int
	busy  bool // somebody judges it
}

// batch is what is to be judged of one application.
type batch struct {
	marks map[manifest.ID]ownership.Mark // as they were seen; zero: gone, or not ours any more
	found work                           // whatever is seen: by a sweep, or because a field's time to be healed has come
}

func newChanged() *changed {
	return &changed{apps: map[app.Name]*waiting{}, woken: make(chan struct{}, 1)}
}

func (c *changed) wake() {
	select {
	case c.woken <- struct{}{}:
	default: // it will look anyway
	}
}

func (c *changed) of(name app.Name) *waiting {
	w := c.apps[name]
	if w == nil {
		w = &waiting{batch: batch{marks: map[manifest.ID]ownership.Mark{}}, due: map[manifest.ID]time.Time{}}
		c.apps[name] = w
	}
	return w
}

func (c *changed) note(name app.Name, id manifest.ID, m ownership.Mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(name).marks[id] = m
	c.wake()
}

func (c *changed) find(name app.Name, found work) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of(name).found.add(found)
	c.wake()
}

// later has an object judged at that time, or before if that was wanted.
func (c *changed) later(name app.Name, id manifest.ID, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due := c.of(name).due
	if t, ok := due[id]; ok && !t.After(at) {
		return
	}
	due[id] = at
	c.wake()
}

// next takes an application that is ready to be judged. None: some is after wait, unless woken tells before.
func (c *changed) next(now time.Time) (name app.Name, b batch, wait time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wait = time.Minute
	for name, w := range c.apps {
		if w.busy {
			continue
		}
		at := w.ready()
		if left := at.Sub(now); left > 0 {
			wait = min(wait, left)
			continue
		}
		var ids []manifest.ID
		for id, t := range w.due {
			if !t.After(now) {
				ids = append(ids, id)
				delete(w.due, id)
			}
		}
		w.found.add(work{ids: ids})
		b := w.batch
		w.batch, w.busy = batch{marks: map[manifest.ID]ownership.Mark{}}, true
		return name, b, 0, true
	}
	return "", batch{}, wait, false
}

// ready is when something of it is to be judged.
func (w *waiting) ready() time.Time {
	var at time.Time // at once
	if len(w.marks) == 0 && w.found.nothing() {
		at = time.Unix(1<<40, 0) // never
		for _, t := range w.due {
			if t.Before(at) {
				at = t
			}
		}
	}
	if at.Before(w.after) {
		at = w.after
	}
	return at
}

// done ends what next began.
func (c *changed) done(name app.Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.apps[name]
	w.busy, w.tries, w.after = false, 0, time.Time{}
	if len(w.marks)+len(w.due) == 0 && w.found.nothing() {
		delete(c.apps, name)
	}
	c.wake()
}

// putBack ends what next began and could not be judged: it waits its turn again, unless something newer was seen of it.
func (c *changed) putBack(name app.Name, b batch, most time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.apps[name]
	maps.Copy(b.marks, w.marks)
	w.marks = b.marks
	w.found.add(b.found)
	w.busy = false
	w.after = time.Now().Add(min(againAfter<<min(w.tries, 10), most))
	w.tries++
	c.wake()
}

// left is what nobody has judged, by application.
func (c *changed) left() map[app.Name][]manifest.ID {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[app.Name][]manifest.ID{}
	for name, w := range c.apps {
		if ids := union(slices.Collect(maps.Keys(w.marks)), w.found.ids); len(ids) > 0 {
			out[name] = ids
		}
	}
	return out
}
