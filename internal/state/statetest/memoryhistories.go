package statetest

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"slipway/internal/fault"
	"slipway/internal/state"
)

// MemoryHistories is histories for tests that open hundreds of them.
func MemoryHistories() state.Histories {
	return &memoryHistories{events: map[string][][]byte{}, until: map[string]time.Time{}}
}

type memoryHistories struct {
	mu     sync.Mutex
	events map[string][][]byte
	until  map[string]time.Time
}

func (m *memoryHistories) locked(ctx context.Context, do func()) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	do()
	return nil
}

func (m *memoryHistories) Append(ctx context.Context, key string, at int, events [][]byte, until time.Time) (err error) {
	ended := m.locked(ctx, func() {
		if len(m.events[key]) != at {
			err = fault.New(fault.Conflict, "append to history of %s: there are %d events, not %d", key, len(m.events[key]), at)
			return
		}
		for _, e := range events {
			m.events[key] = append(m.events[key], slices.Clone(e))
		}
		m.until[key] = until
	})
	if ended != nil {
		return ended
	}
	return err
}

func (m *memoryHistories) Read(ctx context.Context, key string) (events [][]byte, err error) {
	err = m.locked(ctx, func() { events = slices.Clone(m.events[key]) })
	return events, err
}

func (m *memoryHistories) Running(ctx context.Context) (keys []string, err error) {
	err = m.locked(ctx, func() {
		for _, key := range slices.Sorted(maps.Keys(m.until)) {
			if m.until[key].IsZero() {
				keys = append(keys, key)
			}
		}
	})
	return keys, err
}

func (m *memoryHistories) Expire(ctx context.Context, now time.Time) error {
	return m.locked(ctx, func() {
		for key, until := range m.until {
			if !until.IsZero() && !until.After(now) {
				delete(m.events, key)
				delete(m.until, key)
			}
		}
	})
}
