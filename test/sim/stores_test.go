package sim

import (
	"context"
	"time"

	"slipway/internal/app"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// The stores as a process reaches them.
type (
	records  struct{ *process }
	registry struct{ *process }
	blobs    struct{ *process }
	notes    struct{ *process }
)

func (s records) Get(ctx context.Context, name app.Name) (r record.Record, err error) {
	err = s.call(ctx, call{to: toState, name: "read record", about: string(name), app: name}, func(string) error {
		r, err = s.stores.Records.Get(context.WithoutCancel(ctx), name)
		return err
	})
	return r, err
}

func (s records) List(ctx context.Context) (all []record.Record, err error) {
	err = s.call(ctx, call{to: toState, name: "list records"}, func(string) error {
		all, err = s.stores.Records.List(context.WithoutCancel(ctx))
		return err
	})
	return all, err
}

// Update may run change twice, as an engine does whose conditional write was refused, and lends it the process's clock.
func (s records) Update(ctx context.Context, name app.Name, change func(*record.Record) error) (after record.Record, err error) {
	inv := invocationOf(ctx)
	err = s.call(ctx, call{to: toState, name: "write record", about: string(name), app: name}, func(key string) error {
		if !s.quiet && s.dice.chance(s.temper.state, key, "race") {
			if r, err := s.stores.Records.Get(context.WithoutCancel(ctx), name); err == nil {
				_ = s.skewed(change)(&r)
			}
		}
		var before record.Record
		after, err = s.stores.Records.Update(context.WithoutCancel(ctx), name, func(r *record.Record) error {
			before = *r
			return s.skewed(change)(r)
		})
		if err == nil {
			s.history.recorded(inv, before, after)
		} else {
			s.log("%s cannot write the record of %s: %v", s.name, name, err)
		}
		return err
	})
	return after, err
}

// skewed shows change the end of a lease as a process sees it whose clock is ahead (faults C.6, 19).
func (p *process) skewed(change func(*record.Record) error) func(*record.Record) error {
	return func(r *record.Record) error {
		was := r.Lock.Until
		seen := was
		if !was.IsZero() {
			seen = was.Add(-p.skew)
			r.Lock.Until = seen
		}
		err := change(r)
		switch until := r.Lock.Until; {
		case until.Equal(seen):
			r.Lock.Until = was
		case !until.IsZero():
			r.Lock.Until = until.Add(p.skew)
		}
		return err
	}
}

func (s registry) Get(ctx context.Context, name app.Name) (r app.Registered, err error) {
	err = s.call(ctx, call{to: toState, name: "read declaration", about: string(name), app: name}, func(string) error {
		r, err = s.stores.Registry.Get(context.WithoutCancel(ctx), name)
		return err
	})
	return r, err
}

func (s registry) All(ctx context.Context) (all []app.Registered, err error) {
	err = s.call(ctx, call{to: toState, name: "list declarations"}, func(string) error {
		all, err = s.stores.Registry.All(context.WithoutCancel(ctx))
		return err
	})
	return all, err
}

func (s registry) Using(ctx context.Context, r revision.Repository) (all []app.Registered, err error) {
	err = s.call(ctx, call{to: toState, name: "list declarations", about: string(r)}, func(string) error {
		all, err = s.stores.Registry.Using(context.WithoutCancel(ctx), r)
		return err
	})
	return all, err
}

func (s registry) Put(ctx context.Context, r app.Registered) error {
	return s.call(ctx, call{to: toState, name: "declare", about: string(r.Application.Key())}, func(string) error {
		return s.stores.Registry.Put(context.WithoutCancel(ctx), r)
	})
}

func (s registry) Remove(ctx context.Context, name app.Name) error {
	return s.call(ctx, call{to: toState, name: "undeclare", about: string(name)}, func(string) error {
		return s.stores.Registry.Remove(context.WithoutCancel(ctx), name)
	})
}

func (s blobs) Put(ctx context.Context, data []byte) (digest string, err error) {
	err = s.call(ctx, call{to: toState, name: "store", about: app.Digest(data)}, func(string) error {
		digest, err = s.stores.Blobs.Put(context.WithoutCancel(ctx), data)
		return err
	})
	return digest, err
}

func (s blobs) Get(ctx context.Context, digest string) (data []byte, err error) {
	err = s.call(ctx, call{to: toState, name: "load", about: digest}, func(string) error {
		data, err = s.stores.Blobs.Get(context.WithoutCancel(ctx), digest)
		return err
	})
	return data, err
}

func (s notes) Get(ctx context.Context, key string) (value string, err error) {
	err = s.call(ctx, call{to: toState, name: "read note", about: key}, func(string) error {
		value, err = s.stores.Notes.Get(context.WithoutCancel(ctx), key)
		return err
	})
	return value, err
}

func (s notes) Set(ctx context.Context, key, value string) error {
	return s.call(ctx, call{to: toState, name: "write note", about: key}, func(string) error {
		return s.stores.Notes.Set(context.WithoutCancel(ctx), key, value)
	})
}

// short is a fence as people can tell it from others: seconds into the world, with their fraction.
func short(fence uint64) string {
	if fence == 0 {
		return "0"
	}
	return time.Unix(0, int64(fence)).Sub(began).String()
}
