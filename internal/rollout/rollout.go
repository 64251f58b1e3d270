// Package rollout decides how a new revision replaces the old one. Decide is a pure function of what a task read from
// the cluster, and each task of the state machine is one call of it: read everything, decide, write with
// resourceVersion preconditions. It is level-triggered, so a task that runs twice changes nothing the second time.
// The semantics are Argo Rollouts' (v1.9.1); the deviations are listed at Decide. Rule numbers are those of
// test/sim/rollout/README.md, the protocol of record, tasks, tick and janitor, which is model-checked.
package rollout

import (
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Task is a task of the state machine, or how it ends.
type Task string

// The tasks.
const (
	Begin     Task = "Begin"     // the first look: names the revision, makes its ReplicaSet, puts the weight to 0 (rule 6)
	SetWeight Task = "SetWeight" // the only task that raises the weight (rule 7)
	Ready     Task = "Ready"     // waits for pods
	Verify    Task = "Verify"    // waits until the router has taken the weight
	Pause     Task = "Pause"     // waits for a person, or for a time
	Analyze   Task = "Analyze"   // measures a run
	Promote   Task = "Promote"   // weight 100, then the stable Service; its claim wrote PROMOTING (rules 9 and 10)
	ScaleDown Task = "ScaleDown" // waits until the old pods may go
	Rollback  Task = "Rollback"  // back to stable; the janitor runs it too (rule 11)
)

// The ends.
const (
	Succeeded      Task = "Succeeded"
	RolledBack     Task = "RolledBack"
	Superseded     Task = "Superseded"     // the template is another one now: the execution of that one goes on
	RollbackFailed Task = "RollbackFailed" // stable has no pod to take the traffic back: the weight is left where it is
)

// Stage is how far the record of the rollout has come; it decides who may still be heard.
type Stage string

// The stages (rule 1). Empty is Running.
const (
	Running   Stage = "RUNNING"
	Promoting Stage = "PROMOTING" // an abort is refused from here on (rule 9)
	Aborting  Stage = "ABORTING"  // only stable counts from here on (rule 11)
	Aborted   Stage = "ABORTED"   // its revision is rejected
	Healthy   Stage = "HEALTHY"
)

// Verb is what a person asked for, as the record has it.
type Verb string

// The verbs.
const (
	VerbPromote     Verb = "promote" // ends the pause, or skips the step that runs
	VerbPromoteFull Verb = "promote-full"
	VerbAbort       Verb = "abort"
	VerbRetry       Verb = "retry"
)

// In is what a task read, all of it after its claim (rule 4). Decide changes nothing of it.
type In struct {
	Task        Task
	Stage       Stage
	Verb        Verb
	VerbStep    int32  // index of the step that a promote was given at; at another one it is void
	Hash        string // of the revision that this execution rolls out; "" before Begin has answered
	Why         string // of an abort: "analysis success-rate failed", shown by `kubectl argo rollouts get`
	Rollout     *v1alpha1.Rollout
	ReplicaSets []*appsv1.ReplicaSet // those that the Rollout owns and those that carry its name
	Services    map[string]string    // what each Service's selector has for rollouts-pod-template-hash, by name; "" when nothing
	Weight      int32                // of the canary, as the routes have it; the highest where they differ
	Verified    bool                 // the router has taken the routes as they are now
	Runs        []Run                // every AnalysisRun of the Rollout
	Pods        []*corev1.Pod        // only looked at for a restart
	Tries       int                  // how often in a row this task has asked to come again
	Now         time.Time
}

// Run is an AnalysisRun as far as a rollout cares.
type Run struct {
	Name    string
	Phase   v1alpha1.AnalysisPhase
	Message string
}

// Changes are the writes of one task. They are written in the order of the fields, each on condition of the
// resourceVersion that was read; after a 409 the task reads and decides again. Nil and empty mean no change.
type Changes struct {
	Weight      *int32               // of the canary, in every route
	Select      []Selection          // Services
	Create      []*appsv1.ReplicaSet // complete objects
	Update      []*appsv1.ReplicaSet // the whole object that was read, with replicas, annotations or owner changed
	Delete      []*appsv1.ReplicaSet
	Evict       []*corev1.Pod           // through the eviction API, so that a PodDisruptionBudget is heard
	Revision    string                  // annotation rollout.argoproj.io/revision of the Rollout
	UnpauseSpec bool                    // spec.paused goes: a promote of a Rollout that is paused by its spec
	Status      *v1alpha1.RolloutStatus // the whole new status; send the difference only, as a merge patch
	Terminate   []string                // AnalysisRuns that end now
}

// Selection points a Service at the pods with a hash.
type Selection struct{ Service, Hash string }

// Next is what the state machine does when the changes are written.
type Next struct {
	Hash   string // of the revision that is rolled out; In.Hash of the tasks that follow
	Task   Task
	After  time.Duration // wait before the task; of a Pause how long it lasts, 0 is until somebody ends it
	Reason string        // why it waits, or why it failed, in words for people
	// Measure are the runs to create where they are missing and to measure: that of the step and that of the background.
	Measure []Measurement
}

// Measurement asks for an AnalysisRun.
type Measurement struct {
	Name       string // of the AnalysisRun
	Background bool   // runs beside the steps: what it says ends the rollout, its success ends nothing
	Step       int32  // index of the step, of one that is not in the background
	Analysis   *v1alpha1.RolloutAnalysis
}
