package drift

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
)

// A watch that broke goes on after a pause, twofold each time it breaks again: an API server that restarts comes back
// within seconds, one that refuses must not be asked all the time.
const (
	followPause = 250 * time.Millisecond
	followMost  = 15 * time.Second
)

// followed is a kind's watch. With no version the cluster does not know the kind, or has forgotten where we were: the
// next sweep tells.
type followed struct {
	version string
	alive   bool
}

// follow begins to watch a kind from a version unless it is watched.
func (w *watch) follow(stop context.Context, gk schema.GroupKind, version string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[gk].alive {
		return
	}
	w.seen[gk] = followed{version, version != ""}
	if version != "" {
		w.followers.Go(func() { w.keepOn(stop, gk, version) })
	}
}

// keepOn watches a kind until stop, or until there is nothing to go on from.
func (w *watch) keepOn(stop context.Context, gk schema.GroupKind, version string) {
	wait := followPause
	for stop.Err() == nil {
		begin := time.Now()
		last, err := w.connection.Watch(stop, gk, version, w.event)
		lost := fault.Is(err, fault.Conflict) // its events between here and now are gone
		if lost || fault.Is(err, fault.NotFound) {
			last = ""
		}
		w.mu.Lock()
		w.seen[gk] = followed{last, last != ""}
		w.mu.Unlock()
		if last == "" {
			if lost {
				w.wantSweep()
			}
			return
		}
		if last != version || time.Since(begin) > followMost {
			wait = followPause
		}
		version = last
		if err != nil || time.Since(begin) < followPause { // the end of a watch that has worked costs no pause
			pause(stop, wait)
			wait = min(2*wait, followMost)
		}
	}
}

// leaves is what the successor goes on with. What is too much to tell is found by its sweep.
func (w *watch) leaves() left {
	l := left{Versions: map[string]string{}, Waiting: w.changed.left()}
	w.mu.Lock()
	defer w.mu.Unlock()
	for gk, f := range w.seen {
		if f.version != "" {
			l.Versions[gk.String()] = f.version
		}
	}
	n := 0
	for name, ids := range l.Waiting {
		if n += len(ids); n > knownCap {
			delete(l.Waiting, name)
		}
	}
	return l
}

// missing reports whether some of the kinds is neither watched nor known to be unknown to the cluster.
func (w *watch) missing(kinds []schema.GroupKind) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, gk := range kinds {
		if _, ok := w.seen[gk]; !ok {
			return true
		}
	}
	return false
}
