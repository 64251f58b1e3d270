package main

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// marked is an edited object, and what was seen of it. The event of a heal may come before the answer to the edit.
type marked struct {
	*target
	uid      types.UID
	version  uint64
	answered time.Time // zero: not yet
	seen     []sight   // those in which it is right
}

type sight struct {
	at      time.Time
	uid     types.UID
	version uint64
}

// healed waits, for so long at most, for those of the edited targets that are not, and says how long each took, in ms, and
// how many were lost; these are counted with healWait.
func (w *watcher) healed(ctx context.Context, targets []*target, most time.Duration) (took []float64, lost int, err error) {
	end := time.Now().Add(most)
	for {
		took, lost, err = w.count(targets)
		if err != nil || lost == 0 || time.Now().After(end) {
			return took, lost, err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return took, lost, ctx.Err()
		}
	}
}

func (w *watcher) count(targets []*target) (took []float64, lost int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range targets {
		m := w.marks[place{t.resource, t.space, t.name}]
		at, ok := m.healed()
		if !ok {
			lost++
			at = m.answered.Add(healWait)
		}
		took = append(took, max(0, ms(at.Sub(m.answered))))
	}
	return took, lost, w.err
}

// healed is when the object was first seen right after the edit. A deleted one is another one then.
func (m *marked) healed() (time.Time, bool) {
	for _, s := range m.seen {
		if !m.answered.IsZero() && s.version > m.version && (m.edit.patch != "" || s.uid != m.uid) {
			return s.at, true
		}
	}
	return time.Time{}, false
}
