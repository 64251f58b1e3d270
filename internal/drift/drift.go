// Package drift finds what is not as git says, and heals it. A sweep is one metadata-only LIST a kind: managed fields
// tell who touched what, so nothing is fetched that nobody has touched. Suspects are judged again under their
// application's lock. It renders nothing, reads no git, and never writes while anything newer is wanted.
package drift

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// Records are read after the LIST (design.md 3). A cluster's watch lease is one of them.
type Records interface {
	List(ctx context.Context) ([]record.Record, error)
	Get(ctx context.Context, name app.Name) (record.Record, error)
	Update(ctx context.Context, name app.Name, change func(*record.Record) error) (record.Record, error)
}

// Registry is the declared applications.
type Registry interface {
	All(ctx context.Context) ([]app.Registered, error)
}

// Blobs hold the inventories.
type Blobs interface {
	Get(ctx context.Context, digest string) ([]byte, error)
}

// Notes hold what was found, and how often a field was healed.
type Notes interface {
	Get(ctx context.Context, key string) (string, error)
	Set(ctx context.Context, key, value string) error
}

// Holder gives an application to who may write to it.
type Holder interface {
	Hold(ctx context.Context, name app.Name, do func(context.Context, *deploy.Held) error) error
}

// Cluster is one cluster as a sweep uses it.
type Cluster interface {
	// SweepSince hands over the metadata of every object that carries a label of ours, page by page; pages of different
	// kinds may come at the same time, and what they hold is used again. Of an object that is known at its
	// resourceVersion, only its name, namespace, uid and resourceVersion. Only what is in Swept.Whole was seen whole.
	SweepSince(ctx context.Context, kinds []schema.GroupKind,
		known func(kind schema.GroupKind, namespace, name, uid, resourceVersion string) bool,
		page func(kind schema.GroupKind, version string, items []metav1.PartialObjectMetadata) error) (manifest.Swept, error)
	// Watch hands over each change of a kind's objects since version until ctx or the server ends it, and says where the
	// next goes on. Conflict: the server does not go back so far. NotFound: it does not know the kind.
	Watch(ctx context.Context, gk schema.GroupKind, version string, event func(manifest.Event) error) (last string, err error)
}

// Deps is what drift works with.
type Deps struct {
	Records  Records
	Registry Registry
	Blobs    Blobs
	Notes    Notes
	Holder   Holder
	Resolve  func(app.Destination) (app.Cluster, error)
	Connect  func(ctx context.Context, c app.Cluster) (Cluster, error)
}

// Drift sweeps clusters. It keeps what it has read between sweeps, so a warm process reads little; nothing of that is
// needed for being right.
type Drift struct {
	Deps
	kept     *cache
	indexing sync.Mutex    // an index of what is kept is read, changed and written
	rescaled time.Duration // an autoscaled object is looked at again after this time: its autoscaler may be gone
}

// New makes a Drift.
func New(d Deps) *Drift { return &Drift{Deps: d, kept: newCache(), rescaled: 5 * time.Minute} }
