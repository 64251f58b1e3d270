package drift

import (
	"time"
)

// The waits before the same field of the same object is healed again (argo-cd appcontroller.go selfHealBackoff: 2 s,
// factor 3, cap 300 s; ours is by field, so that an edit elsewhere is healed at once), and when it is a fight.
var waits = []time.Duration{0, 2 * time.Second, 6 * time.Second, 18 * time.Second, 54 * time.Second, 162 * time.Second, 300 * time.Second}

const (
	fightHeals  = 5
	fightWindow = 10 * time.Minute
	forget      = 30 * time.Minute // a field that was right for so long starts anew
	heldFields  = 1000             // memory of one application, fields
)

// memory is how often fields of an application were healed, kept in the state between runs.
type memory map[string]*healed // by object and path

type healed struct {
	Times []time.Time `json:"times,omitempty"` // the last heals, oldest first
	Seen  time.Time   `json:"seen,omitzero"`   // when it was last found to differ
	Fight string      `json:"fight,omitempty"`
}

// last is the end of what is known of a field: it has been right, or nobody has looked, since.
func (h *healed) last() time.Time {
	t := h.Seen
	if n := len(h.Times); n > 0 && h.Times[n-1].After(t) {
		t = h.Times[n-1]
	}
	return t
}

// saw remembers that a field differs; after a quiet time it starts anew. What is never healed needs no memory.
func (m memory) saw(field string, now time.Time) {
	h := m[field]
	if h == nil {
		return
	}
	if now.Sub(h.last()) > forget {
		delete(m, field)
		return
	}
	h.Seen = now
}

// next says when a field may be healed: now if not after now. A fight is never healed again by itself.
func (m memory) next(field string, now time.Time) (at time.Time, fight bool) {
	h := m[field]
	if h == nil || len(h.Times) == 0 {
		return now, false
	}
	if h.Fight != "" {
		return time.Time{}, true
	}
	return h.Times[len(h.Times)-1].Add(waits[min(len(h.Times), len(waits)-1)]), false
}

// note remembers a heal, and that the field is a fight if it is one by now.
func (m memory) note(field, manager string, now time.Time) {
	h := m[field]
	if h == nil {
		h = &healed{}
		m[field] = h
	}
	h.Seen = now
	h.Times = append(h.Times, now)
	h.Times = h.Times[max(0, len(h.Times)-len(waits)):]
	recent := 0
	for _, t := range h.Times {
		if now.Sub(t) <= fightWindow {
			recent++
		}
	}
	if recent >= fightHeals {
		h.Fight = manager
		if h.Fight == "" {
			h.Fight = "unknown"
		}
	}
}

// clean drops what is too old to matter, and the oldest beyond the cap.
func (m memory) clean(now time.Time) {
	for k, h := range m {
		if now.Sub(h.last()) > forget {
			delete(m, k)
		}
	}
	for len(m) > heldFields {
		oldest := ""
		for k, h := range m {
			if oldest == "" || h.last().Before(m[oldest].last()) {
				oldest = k
			}
		}
		delete(m, oldest)
	}
}
