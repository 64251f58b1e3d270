// Package state is what is kept between runs: records, the registry, blobs, notes and rollouts. It is five small interfaces; each
// engine is a folder of its own, and statetest holds every engine to the same contract. All of it can be lost: it is
// rebuilt from git and the cluster.
package state

import (
	"context"

	"slipway/internal/app"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// Records keeps one record an application. Every read is consistent: it shows the last finished write (protocol rules
// 3, 10 and 12 stand on that).
type Records interface {
	// Get reads a record; fault.NotFound if there is none.
	Get(ctx context.Context, name app.Name) (record.Record, error)
	// Update reads, changes and writes as one atomic step and returns what was written. Of an absent record change sees
	// the zero record with Application set. An error of change writes nothing and is returned as it is; a change that
	// leaves the record as it was writes nothing either. change may be called again, so it must not do anything else.
	Update(ctx context.Context, name app.Name, change func(*record.Record) error) (record.Record, error)
	// List is every record, by name.
	List(ctx context.Context) ([]record.Record, error)
	// Delete forgets a record; an absent one is no error.
	Delete(ctx context.Context, name app.Name) error
}

// Registry keeps the applications that are declared. Reads are consistent, Using too: fetch reads declarations after
// the record, so that one that was replaced meanwhile never wins.
type Registry interface {
	// Put registers or replaces; fault.Invalid if the source is no repository.
	Put(ctx context.Context, r app.Registered) error
	// Remove unregisters; an absent application is no error.
	Remove(ctx context.Context, name app.Name) error
	// Get reads one; fault.NotFound if there is none.
	Get(ctx context.Context, name app.Name) (app.Registered, error)
	// All is every registered application, by name.
	All(ctx context.Context) ([]app.Registered, error)
	// Using is the applications with a source in the repository, by name. A repository that nobody uses costs one look-up
	// by key.
	Using(ctx context.Context, repository revision.Repository) ([]app.Registered, error)
}

// BlobCap is the size that no blob may exceed: inputs of one application are at most 50 MiB (security S4), so what is
// larger than this was not written by us.
const BlobCap = 256 << 20

// Blobs keeps bytes under their digest.
type Blobs interface {
	// Put stores data under app.Digest(data) and returns it. What is there already is not written again, unless it is damaged.
	Put(ctx context.Context, data []byte) (digest string, err error)
	// Get reads what is stored under the digest and checks it: fault.NotFound if there is none, an error if it is damaged.
	Get(ctx context.Context, digest string) ([]byte, error)
}

// Notes keeps short texts that only save work when they are there: the etag of a tip, the time of the last sweep.
type Notes interface {
	// Get reads a note; "" if there is none.
	Get(ctx context.Context, key string) (string, error)
	// Set writes a note; "" removes it.
	Set(ctx context.Context, key, value string) error
}

// Rollouts keeps one record a Rollout, under cluster/namespace/name. The contract is that of Records: consistent reads, and
// atomic updates of which change may be called again.
type Rollouts interface {
	// Get reads a record; fault.NotFound if there is none.
	Get(ctx context.Context, rollout string) (record.Rollout, error)
	// Update reads, changes and writes as one atomic step and returns what was written. Of an absent record change sees
	// the zero record with Rollout set.
	Update(ctx context.Context, rollout string, change func(*record.Rollout) error) (record.Rollout, error)
	// List is every record whose key begins with prefix, by name: cluster/ is those of a cluster.
	List(ctx context.Context, prefix string) ([]record.Rollout, error)
	// Delete forgets a record; an absent one is no error.
	Delete(ctx context.Context, rollout string) error
}

// Stores is one engine's five stores.
type Stores struct {
	Records  Records
	Registry Registry
	Blobs    Blobs
	Notes    Notes
	Rollouts Rollouts
}
