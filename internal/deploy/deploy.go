// Package deploy brings one application to what its record wants: under the application's lock it renders, plans,
// applies, prunes and records. A message is only a wake-up; what is applied is read here. It never decides which commit
// is wanted, and knows no git host and no SDK. The rule numbers in comments are those of the push protocol.
package deploy

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// Records are the conditional writes of the protocol: change sees the record as it is and its result is written in the
// same atomic step.
type Records interface {
	Get(ctx context.Context, name app.Name) (record.Record, error)
	Update(ctx context.Context, name app.Name, change func(*record.Record) error) (record.Record, error)
}

// Registry is where declared applications are kept.
type Registry interface {
	Get(ctx context.Context, name app.Name) (app.Registered, error)
	All(ctx context.Context) ([]app.Registered, error)
	Put(ctx context.Context, r app.Registered) error
	Remove(ctx context.Context, name app.Name) error
}

// Blobs are named by the digest of their content.
type Blobs interface {
	Put(ctx context.Context, data []byte) (digest string, err error)
	Get(ctx context.Context, digest string) ([]byte, error)
}

// Renderer turns an application's inputs into objects. An error of kind Invalid is the input's fault.
type Renderer interface {
	Render(ctx context.Context, in app.Inputs, t app.Target) (manifest.Rendered, error)
}

// Reader sees what is live.
type Reader interface {
	// List is the metadata of every object that carries the label, of these kinds or, with nil, of all.
	List(ctx context.Context, label string, kinds []schema.GroupKind) ([]metav1.PartialObjectMetadata, error)
	Get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error)
}

// Scopes knows the cluster's kinds.
type Scopes interface {
	Target(ctx context.Context) (app.Target, error)
	Namespaced(ctx context.Context, gk schema.GroupKind, version string) (bool, error)
	Established(ctx context.Context, crd string) error
}

// Writer changes the cluster. Every write is on condition of the uid and resourceVersion that it is given; a creation
// is an apply with resourceVersion "1" and no uid.
type Writer interface {
	Apply(ctx context.Context, u *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, []string, error)
	Adopt(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string, entries []metav1.ManagedFieldsEntry) (string, error)
	Delete(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string) error
	EnsureNamespace(ctx context.Context, name string) (created bool, err error)
	// Patch is a JSON patch: only drift needs it, to remove what no apply can.
	Patch(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string, ops []byte) (*unstructured.Unstructured, error)
}

// Cluster is one cluster as deploy uses it.
type Cluster interface {
	Reader
	Scopes
	Writer
}

// Queue takes what others must do: wake an application, look at a branch.
type Queue interface {
	Wake(ctx context.Context, name app.Name) error
	Look(ctx context.Context, a app.Application) error
}

// Rollouts is what drives Rollouts, which no controller of the cluster does.
type Rollouts interface {
	// Check is Invalid, by file and path, for a Rollout or a template of analyses that cannot be driven.
	Check(file string, u *unstructured.Unstructured) error
	// Start begins the rollout of a Rollout as it was applied, unless it runs or ran; origin is for people. Invalid: its
	// revision was rolled back before, or is refused while another one runs.
	Start(ctx context.Context, d app.Destination, u *unstructured.Unstructured, origin record.Origin) (bool, error)
	// Reject has the revision of a Rollout never started, because another one runs that it must not supersede: of the Rollout
	// as git says it, which is applied only afterwards. Invalid tells that it was rejected; nil, that nothing runs any more.
	Reject(ctx context.Context, d app.Destination, u *unstructured.Unstructured) error
}

// Deps are what a Deploy is made of.
type Deps struct {
	Records  Records
	Registry Registry
	Blobs    Blobs
	Renderer Renderer
	Queue    Queue
	// Connect reaches the cluster of a destination; an unknown one is Invalid.
	Connect func(ctx context.Context, d app.Destination) (Cluster, error)
	// Rollouts begins what is applied of kind Rollout. Nil: nothing here can, and Rollouts are refused.
	Rollouts Rollouts
	// Owner names this process in the lock, for people.
	Owner string
	// Lease is how long the lock is taken for; the zero value is DefaultLease. It is longer than the hard kill, so that
	// a dead run's last request has ended when another starts (protocol, "left": absence has no resourceVersion).
	Lease time.Duration
}

// DefaultLease is the function's timeout of 120 s and 5 s for the last request (design.md 5).
const DefaultLease = 125 * time.Second

// Margin is what is left of the time when a run stops in order: enough to save progress and release (faults C.7).
const Margin = 20 * time.Second

// Deploy applies applications. It is safe for concurrent use; the lock keeps runs of one application apart.
type Deploy struct{ Deps }

// New makes a Deploy.
func New(d Deps) *Deploy {
	if d.Lease == 0 {
		d.Lease = DefaultLease
	}
	return &Deploy{Deps: d}
}
