package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"slipway/internal/fault"
	"slipway/internal/state"
)

var (
	eventBucket   = []byte("events")   // key, a zero byte, the event's number in 8 bytes
	runningBucket = []byte("running")  // key, without a value
	endedBucket   = []byte("finished") // until in 8 bytes, key: the first to expire comes first
)

// histories keeps each event under a key of its own: an append costs the same however long the history is.
type histories struct{ db *bbolt.DB }

// Histories keeps the histories of executions in the same file.
func (s *Store) Histories() state.Histories { return histories{s.db} }

func eventPrefix(key string) []byte { return append([]byte(key), 0) }

func eventKey(key string, n int) []byte {
	return binary.BigEndian.AppendUint64(eventPrefix(key), uint64(n)) //nolint:gosec // counts from 0
}

func (s histories) Append(ctx context.Context, key string, at int, events [][]byte, until time.Time) error {
	err := update(ctx, s.db, func(tx *bbolt.Tx) error {
		b := tx.Bucket(eventBucket)
		if at > 0 && b.Get(eventKey(key, at-1)) == nil || b.Get(eventKey(key, at)) != nil {
			return fault.New(fault.Conflict, "there are not %d events", at)
		}
		for i, event := range events {
			if err := b.Put(eventKey(key, at+i), event); err != nil {
				return err
			}
		}
		if until.IsZero() {
			return tx.Bucket(runningBucket).Put([]byte(key), []byte{})
		}
		if err := tx.Bucket(runningBucket).Delete([]byte(key)); err != nil {
			return err
		}
		return tx.Bucket(endedBucket).Put(append(stamp(until), key...), []byte{})
	})
	if err != nil {
		return fmt.Errorf("append to history of %s: %w", key, err)
	}
	return nil
}

func stamp(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(max(t.UnixNano(), 0))) //nolint:gosec // not negative
}

func (s histories) Read(ctx context.Context, key string) ([][]byte, error) {
	var events [][]byte
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		prefix := eventPrefix(key)
		c := tx.Bucket(eventBucket).Cursor()
		for k, event := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, event = c.Next() {
			events = append(events, bytes.Clone(event))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", key, err)
	}
	return events, nil
}

func (s histories) Running(ctx context.Context) ([]string, error) {
	var keys []string
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		return tx.Bucket(runningBucket).ForEach(func(key, _ []byte) error {
			keys = append(keys, string(key))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list running executions: %w", err)
	}
	return keys, nil
}

func (s histories) Expire(ctx context.Context, now time.Time) error {
	err := update(ctx, s.db, func(tx *bbolt.Tx) error {
		over := stamp(now)
		c := tx.Bucket(endedBucket).Cursor()
		gone := 0
		for k, _ := c.First(); k != nil && bytes.Compare(k[:len(over)], over) <= 0; k, _ = c.First() {
			key := string(k[len(over):])
			if err := c.Delete(); err != nil {
				return err
			}
			if err := forget(tx, key); err != nil {
				return err
			}
			gone++
		}
		if gone == 0 {
			return errSame
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget old histories: %w", err)
	}
	return nil
}

func forget(tx *bbolt.Tx, key string) error {
	prefix := eventPrefix(key)
	c := tx.Bucket(eventBucket).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Seek(prefix) {
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}
