package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
)

type records struct{ db *bbolt.DB }

func (s records) Get(ctx context.Context, name app.Name) (record.Record, error) {
	var r record.Record
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		data := tx.Bucket(recordBucket).Get([]byte(name))
		if data == nil {
			return fault.New(fault.NotFound, "there is none")
		}
		return json.Unmarshal(data, &r)
	})
	if err != nil {
		return record.Record{}, fmt.Errorf("read record of %s: %w", name, err)
	}
	return r, nil
}

func (s records) Update(ctx context.Context, name app.Name, change func(*record.Record) error) (record.Record, error) {
	var r record.Record
	var refused error
	err := update(ctx, s.db, func(tx *bbolt.Tx) error {
		b := tx.Bucket(recordBucket)
		old := b.Get([]byte(name))
		if old != nil {
			if err := json.Unmarshal(old, &r); err != nil {
				return err
			}
		}
		r.Application = string(name)
		if refused = change(&r); refused != nil {
			return refused
		}
		r.Application = string(name)
		data, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if bytes.Equal(data, old) {
			return errSame
		}
		return b.Put([]byte(name), data)
	})
	switch {
	case refused != nil:
		return record.Record{}, refused
	case err != nil:
		return record.Record{}, fmt.Errorf("write record of %s: %w", name, err)
	}
	return r, nil
}

func (s records) List(ctx context.Context) ([]record.Record, error) {
	var all []record.Record
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		return tx.Bucket(recordBucket).ForEach(func(name, data []byte) error {
			var r record.Record
			if err := json.Unmarshal(data, &r); err != nil {
				return fmt.Errorf("of %s: %w", name, err)
			}
			all = append(all, r)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	return all, nil
}

func (s records) Delete(ctx context.Context, name app.Name) error {
	if err := remove(ctx, s.db, recordBucket, string(name)); err != nil {
		return fmt.Errorf("delete record of %s: %w", name, err)
	}
	return nil
}

func remove(ctx context.Context, db *bbolt.DB, bucket []byte, key string) error {
	return update(ctx, db, func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		if b.Get([]byte(key)) == nil {
			return errSame
		}
		return b.Delete([]byte(key))
	})
}

type notes struct{ db *bbolt.DB }

func (s notes) Get(ctx context.Context, key string) (string, error) {
	var value string
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		value = string(tx.Bucket(noteBucket).Get([]byte(key)))
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read note %s: %w", key, err)
	}
	return value, nil
}

func (s notes) Set(ctx context.Context, key, value string) error {
	var err error
	if value == "" {
		err = remove(ctx, s.db, noteBucket, key)
	} else {
		err = update(ctx, s.db, func(tx *bbolt.Tx) error {
			b := tx.Bucket(noteBucket)
			if bytes.Equal(b.Get([]byte(key)), []byte(value)) {
				return errSame
			}
			return b.Put([]byte(key), []byte(value))
		})
	}
	if err != nil {
		return fmt.Errorf("write note %s: %w", key, err)
	}
	return nil
}
