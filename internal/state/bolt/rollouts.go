package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"slipway/internal/fault"
	"slipway/internal/record"
)

type rollouts struct{ db *bbolt.DB }

func (s rollouts) Get(ctx context.Context, rollout string) (record.Rollout, error) {
	var r record.Rollout
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		data := tx.Bucket(rollBucket).Get([]byte(rollout))
		if data == nil {
			return fault.New(fault.NotFound, "there is none")
		}
		return json.Unmarshal(data, &r)
	})
	if err != nil {
		return record.Rollout{}, fmt.Errorf("read record of rollout %s: %w", rollout, err)
	}
	return r, nil
}

func (s rollouts) Update(ctx context.Context, rollout string, change func(*record.Rollout) error) (record.Rollout, error) {
	var r record.Rollout
	var refused error
	err := update(ctx, s.db, func(tx *bbolt.Tx) error {
		b := tx.Bucket(rollBucket)
		old := b.Get([]byte(rollout))
		if old != nil {
			if err := json.Unmarshal(old, &r); err != nil {
				return err
			}
		}
		r.Rollout = rollout
		if refused = change(&r); refused != nil {
			return refused
		}
		data, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if bytes.Equal(data, old) {
			return errSame
		}
		return b.Put([]byte(rollout), data)
	})
	switch {
	case refused != nil:
		return record.Rollout{}, refused
	case err != nil:
		return record.Rollout{}, fmt.Errorf("write record of rollout %s: %w", rollout, err)
	}
	return r, nil
}

func (s rollouts) List(ctx context.Context, prefix string) ([]record.Rollout, error) {
	var all []record.Rollout
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		c := tx.Bucket(rollBucket).Cursor()
		for key, data := c.Seek([]byte(prefix)); key != nil && bytes.HasPrefix(key, []byte(prefix)); key, data = c.Next() {
			var r record.Rollout
			if err := json.Unmarshal(data, &r); err != nil {
				return fmt.Errorf("of %s: %w", key, err)
			}
			all = append(all, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list records of rollouts: %w", err)
	}
	return all, nil
}

func (s rollouts) Delete(ctx context.Context, rollout string) error {
	if err := remove(ctx, s.db, rollBucket, rollout); err != nil {
		return fmt.Errorf("delete record of rollout %s: %w", rollout, err)
	}
	return nil
}
