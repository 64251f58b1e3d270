// Package fetch takes one push to the applications that it changes: it reads the tip, decides whether it is newer, cuts
// one archive into each application's inputs, and writes what is wanted into the records. It renders nothing and knows
// no cluster. The rule numbers in comments are those of the push protocol.
package fetch

import (
	"context"
	"io"
	"time"

	"slipway/internal/app"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// Records are the applications' records; every read shows the last finished write.
type Records interface {
	Get(ctx context.Context, name app.Name) (record.Record, error)
	Update(ctx context.Context, name app.Name, change func(*record.Record) error) (record.Record, error)
	List(ctx context.Context) ([]record.Record, error)
}

// Registry is the declared applications; every read shows the last finished write.
type Registry interface {
	All(ctx context.Context) ([]app.Registered, error)
	Using(ctx context.Context, repository revision.Repository) ([]app.Registered, error)
}

// Blobs keeps bytes under app.Digest of them.
type Blobs interface {
	Put(ctx context.Context, data []byte) (digest string, err error)
}

// Notes keeps etags between sweeps.
type Notes interface {
	Get(ctx context.Context, key string) (string, error)
	Set(ctx context.Context, key, value string) error
}

// Host is the git host. Compare answers NotFound only if it does not have head.
type Host interface {
	Tip(ctx context.Context, repository revision.Repository, ref string) (revision.SHA, error)
	Compare(ctx context.Context, repository revision.Repository, base, head revision.SHA) (revision.Relation, error)
	Archive(ctx context.Context, repository revision.Repository, sha revision.SHA) (io.ReadCloser, error)
}

// Tips asks the git host with one conditional request; changed is false, and sha empty, if etag still holds.
type Tips interface {
	Changed(ctx context.Context, repository revision.Repository, ref, etag string) (sha revision.SHA, newEtag string, changed bool, err error)
}

// Cut is one application's part of an archive: its inputs, or why there are none, for this application alone.
type Cut struct {
	Inputs app.Inputs
	Err    error
}

// Cutter reads an archive of commit sha once and cuts out the inputs of each application. Its error concerns all of
// them: Invalid for an archive that will never be accepted.
type Cutter interface {
	Cut(ctx context.Context, archive io.Reader, sha revision.SHA, apps []app.Application) (map[app.Name]Cut, error)
}

// Queue holds what is to be done: a wake-up is for the application's sync, a move comes back to Move.
type Queue interface {
	Wake(ctx context.Context, name app.Name) error
	Move(ctx context.Context, m revision.Move) error
}

// Deps is what fetch works with.
type Deps struct {
	Records  Records
	Registry Registry
	Blobs    Blobs
	Notes    Notes
	Host     Host
	Tips     Tips
	Cutter   Cutter
	Queue    Queue
}

const (
	tries       = 5                // reads of one record, when others keep writing it
	archiveTime = 30 * time.Second // one archive, from the request to its last byte (faults C.7)
	moveTime    = 2 * time.Minute  // one move
	sweepTime   = 4 * time.Minute  // one sweep; the next begins after five
	atOnce      = 8                // records, blobs and hosts that are asked at the same time
)

// Fetch is the use case. It holds nothing between calls, so any number may run at once, in any number of processes.
type Fetch struct {
	Deps
	atOnce int
}

// New makes a Fetch of its dependencies.
func New(d Deps) *Fetch { return &Fetch{Deps: d, atOnce: atOnce} }
