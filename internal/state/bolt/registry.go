package bolt

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/revision"
)

// registry keeps each application under its name, and under its repository a key without a value: repository, a zero
// byte, name. Both are written in one transaction.
type registry struct{ db *bbolt.DB }

func repoKey(r revision.Repository, name app.Name) []byte {
	return []byte(string(r) + "\x00" + string(name))
}

func (s registry) Put(ctx context.Context, r app.Registered) error {
	name := r.Application.Key()
	src, err := r.Application.From()
	if err != nil {
		return fault.Wrap(fault.Invalid, fmt.Errorf("register %s: %w", name, err))
	}
	if r.Application.Namespace == "" || r.Application.Name == "" || strings.Contains(string(name), "\x00") {
		return fault.New(fault.Invalid, "register application %q: want a namespace and a name", name)
	}
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	err = update(ctx, s.db, func(tx *bbolt.Tx) error {
		old := tx.Bucket(appBucket).Get([]byte(name))
		if bytes.Equal(old, data) {
			return errSame
		}
		if err := unlink(tx, old); err != nil {
			return err
		}
		if err := tx.Bucket(repoBucket).Put(repoKey(src.Repository, name), []byte{}); err != nil {
			return err
		}
		return tx.Bucket(appBucket).Put([]byte(name), data)
	})
	if err != nil {
		return fmt.Errorf("register %s: %w", name, err)
	}
	return nil
}

// unlink removes the index entry of an application as it was stored.
func unlink(tx *bbolt.Tx, old []byte) error {
	if old == nil {
		return nil
	}
	var r app.Registered
	if err := json.Unmarshal(old, &r); err != nil {
		return err
	}
	src, err := r.Application.From()
	if err != nil {
		return err
	}
	return tx.Bucket(repoBucket).Delete(repoKey(src.Repository, r.Application.Key()))
}

func (s registry) Remove(ctx context.Context, name app.Name) error {
	err := update(ctx, s.db, func(tx *bbolt.Tx) error {
		old := tx.Bucket(appBucket).Get([]byte(name))
		if old == nil {
			return errSame
		}
		if err := unlink(tx, old); err != nil {
			return err
		}
		return tx.Bucket(appBucket).Delete([]byte(name))
	})
	if err != nil {
		return fmt.Errorf("unregister %s: %w", name, err)
	}
	return nil
}

func (s registry) Get(ctx context.Context, name app.Name) (app.Registered, error) {
	var r app.Registered
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		data := tx.Bucket(appBucket).Get([]byte(name))
		if data == nil {
			return fault.New(fault.NotFound, "it is not registered")
		}
		return json.Unmarshal(data, &r)
	})
	if err != nil {
		return app.Registered{}, fmt.Errorf("read application %s: %w", name, err)
	}
	return r, nil
}

func (s registry) All(ctx context.Context) ([]app.Registered, error) {
	var all []app.Registered
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		return tx.Bucket(appBucket).ForEach(func(name, data []byte) error {
			var r app.Registered
			if err := json.Unmarshal(data, &r); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, r)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list applications: %w", err)
	}
	return all, nil
}

func (s registry) Using(ctx context.Context, repository revision.Repository) ([]app.Registered, error) {
	var using []app.Registered
	err := view(ctx, s.db, func(tx *bbolt.Tx) error {
		prefix := repoKey(repository, "")
		c := tx.Bucket(repoBucket).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			var r app.Registered
			if err := json.Unmarshal(tx.Bucket(appBucket).Get(k[len(prefix):]), &r); err != nil {
				return fmt.Errorf("%s: %w", k[len(prefix):], err)
			}
			using = append(using, r)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list applications of %s: %w", repository, err)
	}
	return using, nil
}
