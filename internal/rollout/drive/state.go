package drive

import (
	"encoding/json"
	"fmt"
	"time"

	"slipway/internal/record"
	"slipway/internal/rollout"
)

// State is what goes from state to state of the machine. No manifest is in it, and no secret.
type State struct {
	Rollout string       `json:"rollout"` // cluster/namespace/name
	Fence   uint64       `json:"fence,string"`
	Number  uint64       `json:"number"`  // of the last attempt that ended (rule 3)
	Resume  bool         `json:"resume"`  // goes on for an execution whose history was full
	Task    rollout.Task `json:"task"`    // what comes next
	After   int64        `json:"after"`   // seconds to wait before it; of a Pause or Analyze how long it lasts at most
	Measure bool         `json:"measure"` // a measurement is due before it
	Full    bool         `json:"full"`    // the history is nearly full: hand over
	Step    int32        `json:"step"`    // index of the rollout's step
	Hash    string       `json:"hash"`
	Why     string       `json:"why"` // of a rollback
	Tries   int          `json:"tries"`
	Events  int          `json:"events"` // of the history, at most so many
	// Error is what a catcher has caught.
	Error *struct{ Error, Cause string } `json:"error,omitempty"`
}

// Call is one attempt of one task, as the machine makes it.
type Call struct {
	Task  rollout.Task `json:"task"`
	State State        `json:"state"`
	Retry uint64       `json:"retry"` // $$.State.RetryCount
	Token string       `json:"token"` // of a wait
}

// The numbers of attempts begin that much after the last one that ended. What may have been tried in vain in between, at
// most 98 times, has lower ones: a wait ends by its timeout and a task goes to Rollback by a catcher, and neither tells
// the next one how often it was tried.
const (
	waitStride     = 1
	taskStride     = 100
	rollbackStride = 200
)

// number is the attempt's.
func (c Call) number() uint64 {
	switch {
	case c.Token != "":
		return c.State.Number + waitStride + c.Retry
	case c.Task == rollout.Rollback:
		return c.State.Number + rollbackStride + c.Retry
	}
	return c.State.Number + taskStride + c.Retry
}

// A turn of the machine writes at most turnEvents events, and retryEvents for each retry; of a wait that is tried again
// nobody tells, so there is room. From full on it hands over: 20,000 at most, of 25,000 (aws.md 6).
const (
	turnEvents  = 30
	retryEvents = 3
	full        = 18_000
)

// forever is how long a pause without an end waits before it is looked at again: a look costs three transitions.
const forever = 7 * 24 * time.Hour

// input is what the execution of a record is started with; the same record gives the same.
func input(r record.Rollout) (json.RawMessage, error) {
	return json.Marshal(State{Rollout: r.Rollout, Fence: r.Fence, Task: rollout.Begin, Resume: r.Hash != "", Hash: r.Hash})
}

// turn is the state after a task, without what the task decides.
func (c Call) turn() State {
	s := c.State
	s.Number, s.Events = c.number(), s.Events+turnEvents+retryEvents*int(c.Retry) //nolint:gosec // at most 99
	s.Full, s.Measure, s.Error = s.Events >= full, false, nil
	return s
}

// then is the state after a decision.
func (s State) then(next rollout.Next) State {
	s.Tries++
	if next.Task != s.Task {
		s.Tries = 0
	}
	s.Task, s.Hash, s.After = next.Task, next.Hash, seconds(next.After)
	if next.Task == rollout.Pause && s.After == 0 {
		s.After = seconds(forever)
	}
	bad := next.Task == rollout.Rollback || next.Task == rollout.RolledBack
	if next.Task == rollout.RollbackFailed || bad && s.Why == "" {
		s.Why = next.Reason
	}
	return s
}

// seconds is d in whole seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// cause is why a rollback was begun, for people.
func (s State) cause() string {
	switch {
	case s.Why != "":
		return s.Why
	case s.Error != nil:
		return fmt.Sprintf("%s: %s", s.Error.Error, message(s.Error.Cause))
	}
	return ""
}

// message is the text of an error, which Lambda gives as JSON.
func message(cause string) string {
	var lambda struct{ ErrorMessage string }
	if json.Unmarshal([]byte(cause), &lambda) == nil && lambda.ErrorMessage != "" {
		return lambda.ErrorMessage
	}
	return cause
}
