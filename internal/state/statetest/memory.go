package statetest

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/revision"
	"slipway/internal/state"
)

// Memory is an engine for tests that open hundreds of states: it holds the contract and syncs nothing. What is stored
// is encoded, so that it is as isolated as what goes to a disk.
func Memory() state.Stores {
	m := &memory{records: map[string][]byte{}, rollouts: map[string][]byte{}, apps: map[string][]byte{}, blobs: map[string][]byte{}, notes: map[string]string{}}
	return state.Stores{Records: memoryRecords{m}, Registry: memoryRegistry{m}, Blobs: memoryBlobs{m}, Notes: memoryNotes{m}, Rollouts: memoryRollouts{m}}
}

type memory struct {
	mu                             sync.Mutex
	records, rollouts, apps, blobs map[string][]byte
	notes                          map[string]string
}

// locked runs do unless ctx has ended.
func (m *memory) locked(ctx context.Context, do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return do()
}

func list[T any](from map[string][]byte) ([]T, error) {
	var all []T
	for _, k := range slices.Sorted(maps.Keys(from)) {
		var v T
		if err := json.Unmarshal(from[k], &v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func get[T any](from map[string][]byte, key app.Name) (v T, err error) {
	data, ok := from[string(key)]
	if !ok {
		return v, fault.New(fault.NotFound, "read %s: there is none", key)
	}
	return v, json.Unmarshal(data, &v)
}

type memoryRecords struct{ *memory }

func (m memoryRecords) Get(ctx context.Context, name app.Name) (r record.Record, err error) {
	err = m.locked(ctx, func() error { r, err = get[record.Record](m.records, name); return err })
	return r, err
}

func (m memoryRecords) Update(ctx context.Context, name app.Name, change func(*record.Record) error) (record.Record, error) {
	var after record.Record
	err := m.locked(ctx, func() error {
		r, err := get[record.Record](m.records, name)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		r.Application = string(name)
		if err := change(&r); err != nil {
			return err
		}
		data, err := json.Marshal(r)
		if err != nil {
			return err
		}
		m.records[string(name)] = data
		return json.Unmarshal(data, &after)
	})
	return after, err
}

func (m memoryRecords) List(ctx context.Context) (all []record.Record, err error) {
	err = m.locked(ctx, func() error { all, err = list[record.Record](m.records); return err })
	return all, err
}

func (m memoryRecords) Delete(ctx context.Context, name app.Name) error {
	return m.locked(ctx, func() error { delete(m.records, string(name)); return nil })
}

type memoryRegistry struct{ *memory }

func (m memoryRegistry) Put(ctx context.Context, r app.Registered) error {
	return m.locked(ctx, func() error {
		if _, err := r.Application.From(); err != nil || r.Application.Name == "" || r.Application.Namespace == "" {
			return fault.New(fault.Invalid, "register %s: no name or no repository: %w", r.Application.Key(), err)
		}
		data, err := json.Marshal(r)
		m.apps[string(r.Application.Key())] = data
		return err
	})
}

func (m memoryRegistry) Remove(ctx context.Context, name app.Name) error {
	return m.locked(ctx, func() error { delete(m.apps, string(name)); return nil })
}

func (m memoryRegistry) Get(ctx context.Context, name app.Name) (r app.Registered, err error) {
	err = m.locked(ctx, func() error { r, err = get[app.Registered](m.apps, name); return err })
	return r, err
}

func (m memoryRegistry) All(ctx context.Context) (all []app.Registered, err error) {
	err = m.locked(ctx, func() error { all, err = list[app.Registered](m.apps); return err })
	return all, err
}

func (m memoryRegistry) Using(ctx context.Context, repository revision.Repository) ([]app.Registered, error) {
	all, err := m.All(ctx)
	return slices.DeleteFunc(all, func(r app.Registered) bool {
		src, err := r.Application.From()
		return err != nil || src.Repository != repository
	}), err
}

type memoryBlobs struct{ *memory }

func (m memoryBlobs) Put(ctx context.Context, data []byte) (digest string, err error) {
	digest = app.Digest(data)
	return digest, m.locked(ctx, func() error { m.blobs[digest] = slices.Clone(data); return nil })
}

func (m memoryBlobs) Get(ctx context.Context, digest string) (data []byte, err error) {
	err = m.locked(ctx, func() error {
		stored, ok := m.blobs[digest]
		switch {
		case len(digest) != len(app.Digest(nil)) || digest[:7] != "sha256:":
			return fault.New(fault.Invalid, "read blob: %q is not a digest", digest)
		case !ok:
			return fault.New(fault.NotFound, "read blob %s: there is none", digest)
		case app.Digest(stored) != digest:
			return fault.New(fault.Internal, "read blob %s: its content is damaged", digest)
		}
		data = slices.Clone(stored)
		return nil
	})
	return data, err
}

type memoryNotes struct{ *memory }

func (m memoryNotes) Get(ctx context.Context, key string) (value string, err error) {
	err = m.locked(ctx, func() error { value = m.notes[key]; return nil })
	return value, err
}

func (m memoryNotes) Set(ctx context.Context, key, value string) error {
	return m.locked(ctx, func() error { m.notes[key] = value; return nil })
}
