// Package workflow is long-running executions of state machines, as AWS Step Functions' Standard workflows are: what
// must wait waits there, never in a function. It holds the interface and what every engine shares; workflowtest is the
// contract, asl and states are the engines. The calls take plain words, so that core can name the few it needs.
package workflow

import (
	"context"
	"encoding/json"
	"time"
)

// What AWS allows (Step Functions developer guide, service quotas). The engine in this process keeps to the same, so
// that nothing works locally and fails there.
const (
	MaxData   = 256 << 10           // bytes of an input, an output or a task's payload
	MaxEvents = 25_000              // of a history; the last of them is then ExecutionFailed
	MaxName   = 80                  // characters of an execution's or a state's name
	MaxError  = 256                 // characters of an error's name
	MaxCause  = 32_768              // characters of its cause
	NameTaken = 90 * 24 * time.Hour // how long after its end the name of an execution cannot be used again
)

// Engine runs executions. An execution is known by its machine and its name. All errors have a kind: NotFound where a
// machine, an execution or a waiting task is not there, Invalid for what is wrong and stays wrong.
type Engine interface {
	// Start starts an execution once: the same name with the same input, while it runs, is the same execution and no
	// error. Conflict if the name is taken by another input, or by an execution that ended within NameTaken.
	Start(ctx context.Context, machine, name string, input json.RawMessage) error
	// Stop ends an execution without its catchers; errorName and cause may be empty. It does not end the function that
	// may be running. Stopping what has ended changes nothing and is no error.
	Stop(ctx context.Context, machine, name, errorName, cause string) error
	// Describe says how an execution stands.
	Describe(ctx context.Context, machine, name string) (Execution, error)
	// History is all events of an execution, oldest first.
	History(ctx context.Context, machine, name string) ([]Event, error)
	Answerer
}

// Answerer answers tasks that wait for their token. NotFound: the task was answered before, has timed out or was
// stopped, or the token is of no task; the engines of AWS do not tell these apart reliably.
type Answerer interface {
	Succeed(ctx context.Context, token string, output json.RawMessage) error
	Fail(ctx context.Context, token, errorName, cause string) error
	Heartbeat(ctx context.Context, token string) error
}

// Function is what a task calls. A task may be started more than once for one attempt, as on AWS. The name of an error,
// for Retry and Catch, is the name of the type of the outermost error, as aws-lambda-go has it: return named types
// unwrapped.
type Function func(ctx context.Context, input json.RawMessage) (json.RawMessage, error)

// Status is how an execution stands, in the words of Step Functions.
type Status string

// The five states of an execution.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT" // the machine's own TimeoutSeconds; has no Error and no Cause
	Aborted   Status = "ABORTED"   // by Stop
)

// Execution is one run of a state machine.
type Execution struct {
	Machine string
	Name    string
	Status  Status
	Started time.Time
	Ended   time.Time // zero while it runs
	Input   json.RawMessage
	Output  json.RawMessage // only when it succeeded
	Error   string
	Cause   string
}

// Event is one line of a history.
type Event struct {
	ID    int       `json:"id"` // from 1, without gaps
	Time  time.Time `json:"time"`
	Type  string    `json:"type"`            // as Step Functions names it: TaskStateEntered, WaitStateExited, ExecutionFailed
	State string    `json:"state,omitempty"` // the name, of events StateEntered and StateExited
	// Data is what went in, of Started, Entered and Scheduled, and what came out, of Exited, Submitted and Succeeded.
	Data  json.RawMessage `json:"data,omitempty"`
	Error string          `json:"error,omitempty"`
	Cause string          `json:"cause,omitempty"`
}
