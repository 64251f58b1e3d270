package drift

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
)

// A watch that broke goes on after a pause, twofold each time it breaks again: an API server that restarts comes back
// within seconds, one that refuses must not be asked all the time. One that breaks again and again without a word is no
// use: its version may be one that the server has never had, as after a restore from a backup, and a LIST tells a new one.
const (
	followPause = 250 * time.Millisecond
	followMost  = 15 * time.Second
	followTries = 4
)

// followed is a kind's watch. With no version the cluster does not know the kind, does not list it, or has forgotten where
// we were: the next sweep tells.
type followed struct {
	from    string // it began here
	version string // it is here
	cancel  context.CancelFunc
	err     error // it broke again and again
}

// follow watches a kind from the version of a LIST, or of who watched before, unless it is watched.
func (w *watch) follow(stop context.Context, gk schema.GroupKind, version string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.seen[gk]
	if was != nil && was.version != "" {
		if !before(version, was.from) {
			return
		}
		was.cancel() // the cluster was restored from a backup: it would be silent until it is as far again
	}
	f := &followed{from: version, version: version}
	if was != nil {
		f.err = was.err
	}
	w.seen[gk] = f
	if version != "" {
		stop, f.cancel = context.WithCancel(stop)
		w.followers.Go(func() { defer f.cancel(); w.keepOn(stop, gk, f) })
	}
}

// before compares resourceVersions, which are numbers that grow (KEP-5504); ones that are none are not compared.
func before(a, b string) bool {
	x, errX := strconv.ParseUint(a, 10, 64)
	y, errY := strconv.ParseUint(b, 10, 64)
	return errX == nil && errY == nil && x < y
}

// keepOn watches a kind until stop, or until there is nothing to go on from.
func (w *watch) keepOn(stop context.Context, gk schema.GroupKind, f *followed) {
	version := f.from
	for tries := 0; stop.Err() == nil; {
		begin := time.Now()
		last, err := w.connection.Watch(stop, gk, version, w.event)
		if err == nil || last != version {
			tries = 0
		} else {
			tries++
		}
		unknown := fault.Is(err, fault.NotFound)
		lost := fault.Is(err, fault.Conflict) || tries == followTries // its events between here and now are gone
		if unknown || lost {
			last = ""
		}
		w.mu.Lock()
		f.version = last
		if tries == 0 {
			f.err = nil
		} else if tries == followTries {
			f.err = err
		}
		w.mu.Unlock()
		if lost {
			w.wantSweep()
		}
		if last == "" {
			return
		}
		version = last
		if tries > 0 || time.Since(begin) < followPause { // the end of a watch that has worked costs no pause
			pause(stop, min(followPause<<tries, followMost))
		}
	}
}

// errors is what has failed to the end, watches that are of no use among it.
func (w *watch) errors() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Collect(maps.Values(w.failed))
	for _, f := range w.seen {
		all = append(all, f.err)
	}
	return errors.Join(all...)
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
