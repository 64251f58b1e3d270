// Package drive carries out what package rollout decides: the tasks of the state machine infra/rollout.asl.json, the start
// of an execution, the tick between its steps, the janitor after a bad end, and what people ask for. Each of them reads,
// decides and writes on conditions only; the rule numbers in comments are those of test/sim/rollout/README.md, the protocol of
// record, tasks, tick and janitor, which is model-checked.
package drive

import (
	"context"
	"encoding/json"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/analysis"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// Cluster is one cluster as a rollout uses it. Every write is on condition of uid and resourceVersion (fault.Conflict if
// it moved), as field manager slipway-rollout.
type Cluster interface {
	// Get reads an object; fault.NotFound if it is not there.
	Get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error)
	// All is whole objects, consistent; namespace "" is all, selector "" is all.
	All(ctx context.Context, gk schema.GroupKind, namespace, selector string) ([]unstructured.Unstructured, error)
	// Changes calls changed, which does not wait, for each change of an object until ctx or the server ends it, and at
	// first for what is there; fault.NotFound for a kind that the cluster does not know.
	Changes(ctx context.Context, gk schema.GroupKind, selector string, changed func()) error
	// Create is fault.Conflict if the object exists.
	Create(ctx context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error)
	// Merge is a JSON merge patch, into which metadata.uid and resourceVersion are put; subresource "" or "status".
	Merge(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion, subresource string, patch []byte) (*unstructured.Unstructured, error)
	// Remove is a background deletion, dependents too.
	Remove(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string) error
	// Evict goes through the eviction API; fault.Busy when a PodDisruptionBudget says no.
	Evict(ctx context.Context, namespace, pod string, uid types.UID) error
}

// Rollouts are the conditional writes of the protocol, as state.Rollouts has them.
type Rollouts interface {
	Get(ctx context.Context, rollout string) (record.Rollout, error)
	Update(ctx context.Context, rollout string, change func(*record.Rollout) error) (record.Rollout, error)
	List(ctx context.Context, prefix string) ([]record.Rollout, error)
	Delete(ctx context.Context, rollout string) error
}

// Machine is the name of the state machine.
const Machine = "rollout"

// Executions is the workflow engine as a rollout uses it.
type Executions interface {
	Start(ctx context.Context, machine, name string, input json.RawMessage) error
	Stop(ctx context.Context, machine, name, errorName, cause string) error
	Succeed(ctx context.Context, token string, output json.RawMessage) error
	Fail(ctx context.Context, token, errorName, cause string) error
}

// Meter takes measurements, as analysis.Meter does.
type Meter interface {
	Measure(ctx context.Context, run *v1alpha1.AnalysisRun, due []string) ([]analysis.Taken, error)
}

// Deps are what a Drive is made of.
type Deps struct {
	Rollouts   Rollouts
	Executions Executions
	// Ended reports whether an execution of the machine has ended; fault.NotFound if it was never started.
	Ended func(ctx context.Context, name string) (bool, error)
	// Connect reaches a cluster by its name.
	Connect func(ctx context.Context, cluster string) (Cluster, error)
	// Meter measures what runs in a cluster; only the task Measure needs it.
	Meter func(ctx context.Context, cluster string) (Meter, error)
	// Patience is how long a task looks on for what is about to come, before it leaves that to a wait of the machine.
	Patience time.Duration
}

// Patience is a machine's wait, a second at least, with the time of the task itself taken off.
const Patience = 900 * time.Millisecond

// impatience is between two looks of one task.
const impatience = 100 * time.Millisecond

// Drive drives rollouts. It is safe for concurrent use; the record keeps executions and attempts apart.
type Drive struct{ Deps }

// New makes a Drive.
func New(d Deps) *Drive { return &Drive{d} }

// pauses are how long a pass that met a conflict waits before the next; there are no more tries than that.
var pauses = []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond, time.Second, 2 * time.Second, 3 * time.Second}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
