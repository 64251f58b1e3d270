package asl

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"slipway/internal/workflow"
)

// entry is an event as it is stored: what users see, and what only going on needs.
type entry struct {
	workflow.Event
	Definition string `json:"definition,omitempty"` // of ExecutionStarted
	Token      string `json:"token,omitempty"`      // of TaskScheduled
	Heartbeat  bool   `json:"heartbeat,omitempty"`  // of TaskTimedOut: a heartbeat was missed
}

// place is how far an execution is within its state.
type place uint8

const (
	entered   place = iota // nothing is done yet
	started                // the task's function has been started and has not returned
	submitted              // it has returned, and the answer to its token is waited for
	retrying               // it has failed and is tried again after a while
	failed                 // it has failed for good
)

// cursor is where an execution stands. It is the fold over its events and nothing else: what runs on after a restart
// is exactly what would have run on without.
type cursor struct {
	workflow.Execution
	machine *Machine
	speed   float64 // how many times faster than real time it waits
	events  int     // so far

	state   *state
	at      place
	entered time.Time // when it entered the state
	input   any       // the state's raw input

	// of a task
	attempt int // the number of the event that scheduled it
	token   string
	call    json.RawMessage // what its function is called with
	since   time.Time       // when the attempt began or failed
	failure *Failure
	retries []int64       // so far, of each retrier
	delay   time.Duration // before the next attempt, not scaled
}

// apply takes the next event. An error is a damaged history.
func (c *cursor) apply(e entry) error {
	if e.ID != c.events+1 {
		return fmt.Errorf("event %d follows event %d", e.ID, c.events)
	}
	c.events = e.ID
	follow(&c.Execution, e.Event)
	if strings.HasPrefix(e.Type, "Task") && !strings.HasPrefix(e.Type, "TaskState") && (c.state == nil || c.state.task == nil) {
		return fmt.Errorf("event %d: %s outside of a task", e.ID, e.Type)
	}
	switch e.Type {
	case "TaskScheduled":
		var parameters struct{ Payload json.RawMessage }
		if err := json.Unmarshal(e.Data, &parameters); err != nil {
			return fmt.Errorf("event %d: %w", e.ID, err)
		}
		c.at, c.since, c.attempt, c.token, c.call = started, e.Time, e.ID, e.Token, parameters.Payload
	case "TaskSubmitted":
		c.at = submitted
	case "TaskFailed", "TaskTimedOut":
		c.fail(e)
	}
	if strings.HasSuffix(e.Type, "StateEntered") {
		return c.enter(e)
	}
	return nil
}

func (c *cursor) enter(e entry) error {
	input, err := decode(e.Data)
	if err != nil {
		return fmt.Errorf("event %d: %w", e.ID, err)
	}
	s := c.machine.states[e.State]
	if s == nil {
		return fmt.Errorf("event %d: there is no state %q", e.ID, e.State)
	}
	c.state, c.at, c.entered, c.input, c.retries = s, entered, e.Time, input, nil
	if s.task != nil {
		c.retries = make([]int64, len(s.task.retriers))
	}
	return nil
}

// fail decides by the first retrier that names the failure whether there is another attempt; a retrier that has no
// attempts left is not replaced by a later one.
func (c *cursor) fail(e entry) {
	c.at, c.since = failed, e.Time
	c.failure = &Failure{Name: e.Error, Cause: e.Cause, heartbeat: e.Heartbeat}
	for i, one := range c.state.task.retriers {
		if !c.failure.matches(one.errors) {
			continue
		}
		if c.retries[i] < one.attempts {
			c.retries[i]++
			c.at, c.delay = retrying, one.delay(c.retries[i], fmt.Sprint(c.Machine, c.Name, e.ID))
		}
		return
	}
}

// endings are the events that end an execution, and how it has ended then.
var endings = map[string]workflow.Status{
	"ExecutionSucceeded": workflow.Succeeded, "ExecutionFailed": workflow.Failed,
	"ExecutionTimedOut": workflow.TimedOut, "ExecutionAborted": workflow.Aborted,
}

// follow is what an event says of the execution as a whole.
func follow(x *workflow.Execution, e workflow.Event) {
	if e.Type == "ExecutionStarted" {
		x.Status, x.Started, x.Input = workflow.Running, e.Time, e.Data
	}
	if status, ends := endings[e.Type]; ends {
		x.Status, x.Ended, x.Output, x.Error, x.Cause = status, e.Time, e.Data, e.Error, e.Cause
	}
}

// scaled is how long a wait of the definition takes here.
func (c *cursor) scaled(d time.Duration) time.Duration { return time.Duration(float64(d) / c.speed) }

// scope is what expressions see: input, and the context object with the token of an attempt.
func (c *cursor) scope(input any, token string) *scope {
	retries := int64(0)
	for _, n := range c.retries {
		retries += n
	}
	first, err := decode(c.Input)
	if err != nil { // Start has read it before it was stored
		first = nil
	}
	return &scope{input, map[string]any{
		"Execution":    map[string]any{"Id": arn("execution", c.Machine+":"+c.Name), "Input": first, "Name": c.Name, "StartTime": instant(c.Started)},
		"State":        map[string]any{"EnteredTime": instant(c.entered), "Name": c.state.name, "RetryCount": json.Number(fmt.Sprint(retries))},
		"StateMachine": map[string]any{"Id": arn("stateMachine", c.Machine), "Name": c.Machine},
		"Task":         map[string]any{"Token": token},
	}}
}

// arn is a name of the form that AWS uses, for a region and an account that do not exist.
func arn(kind, name string) string { return "arn:aws:states:local:000000000000:" + kind + ":" + name }

// instant is a time as the context object has it, to the millisecond.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
