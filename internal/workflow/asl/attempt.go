package asl

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"slipway/internal/fault"
	"slipway/internal/workflow"
)

// schedule begins an attempt of a task. Its token and what its function is called with are written before it is called,
// so that they are the same when it is called again after a restart.
func (c *cursor) schedule(t *task, input any) []entry {
	var token string
	if t.token {
		token = newToken(key(c.Machine, c.Name))
	}
	s := c.scope(input, token)
	if _, _, err := t.limits(s); err != nil {
		return c.giveUp(err)
	}
	payload, err := t.payload(s)
	if err != nil {
		return c.giveUp(err)
	}
	data, err := encode(map[string]any{"FunctionName": t.function, "Payload": payload})
	if err != nil {
		return c.giveUp(err)
	}
	if len(data) > workflow.MaxData {
		return ending(tooLarge("payload", c.state))
	}
	return []entry{
		{Event: workflow.Event{Type: "TaskScheduled", Data: data}, Token: token},
		{Event: workflow.Event{Type: "TaskStarted"}},
	}
}

// limits are how long an attempt may take and how long it may be silent.
func (t *task) limits(s *scope) (timeout, heartbeat time.Duration, err error) {
	if t.timeout != nil {
		if timeout, err = seconds(t.timeout, s, 1); err != nil {
			return 0, 0, err
		}
	}
	if t.heartbeat != nil {
		if heartbeat, err = seconds(t.heartbeat, s, 1); err != nil {
			return 0, 0, err
		}
	}
	if timeout > 0 && heartbeat >= timeout {
		return 0, 0, failure(nameRuntime, "the heartbeat of %s is not shorter than the timeout of %s", heartbeat, timeout)
	}
	return timeout, heartbeat, nil
}

// attend is what becomes of a task that has been started.
func (c *cursor) attend(now, beat time.Time) ([]entry, time.Time) {
	t := c.state.task
	input, err := c.state.input(c.scope(c.input, ""))
	if err != nil {
		return c.giveUp(err), now
	}
	if c.at == failed {
		return c.giveUp(c.failure), now
	}
	if c.at == retrying {
		if at := c.since.Add(c.scaled(c.delay)); now.Before(at) {
			return nil, at
		}
		return c.schedule(t, input), now
	}
	timeout, heartbeat, err := t.limits(c.scope(input, c.token))
	if err != nil {
		return c.giveUp(err), now
	}
	late, silent := never, never
	switch {
	case timeout > 0 && t.token:
		late = c.since.Add(c.scaled(timeout))
	case timeout > 0:
		late = c.since.Add(timeout) // a function takes as long as it takes, however fast the waits go
	}
	if heartbeat > 0 {
		silent = later(c.since, beat).Add(c.scaled(heartbeat))
	}
	wake := earlier(late, silent)
	if now.Before(wake) {
		return nil, wake
	}
	return []entry{{Event: workflow.Event{Type: "TaskTimedOut", Error: nameTimeout}, Heartbeat: silent.Before(late)}}, now
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// returned is what a function's return means: the result of a task, or of a task with a token that it is under way.
func (c *cursor) returned(output json.RawMessage, failed *Failure) []entry {
	switch {
	case failed != nil:
		return []entry{{Event: workflow.Event{Type: "TaskFailed", Error: failed.Name, Cause: failed.Cause}}}
	case len(output) > workflow.MaxData:
		return ending(tooLarge("result", c.state))
	case c.state.task.token:
		return []entry{{Event: workflow.Event{Type: "TaskSubmitted", Data: output}}}
	}
	result, err := decode(output)
	if err != nil {
		return c.giveUp(err)
	}
	return c.succeed(envelope(result))
}

// succeed ends a task with its result, which of a token is its answer.
func (c *cursor) succeed(result any) []entry {
	t := c.state.task
	data, err := encode(result)
	if err != nil {
		return c.giveUp(err)
	}
	if len(data) > workflow.MaxData {
		return ending(tooLarge("result", c.state))
	}
	done := entry{Event: workflow.Event{Type: "TaskSucceeded", Data: data}}
	if t.selector != nil {
		if result, err = t.selector(c.scope(result, c.token)); err != nil {
			return append([]entry{done}, c.giveUp(err)...)
		}
	}
	merged, err := t.toResult.merge(c.input, result)
	if err != nil {
		return append([]entry{done}, c.giveUp(err)...)
	}
	return append([]entry{done}, c.leave(merged, c.state.next)...)
}

// waits says whether the token is the one whose answer the execution waits for. A function that has not returned yet
// may have handed its token on already.
func (c *cursor) waits(token string) bool {
	return c.token == token && token != "" && (c.at == started || c.at == submitted)
}

// A token is its execution and a random word that cannot be guessed.
func newToken(key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(key)) + "." + rand.Text()
}

// tokenKey is the execution of a token.
func tokenKey(token string) (string, error) {
	head, _, _ := strings.Cut(token, ".")
	key, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil || len(key) == 0 {
		return "", errNoTask
	}
	return string(key), nil
}

var errNoTask = fault.New(fault.NotFound, "no task waits for this token: it was answered, has timed out or was never handed out")
