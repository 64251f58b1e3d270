package workflowtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/workflow"
)

// task is a machine of one task with more fields, and the state that they name if they catch.
func task(function, more string) string {
	caught := ""
	if strings.Contains(more, "Catch") {
		caught = `,"Caught":{"Type":"Succeed"}`
	}
	return fmt.Sprintf(`{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":%q},%s"End":true}%s}}`, function, more, caught)
}

func slow(ctx context.Context, _ json.RawMessage) (json.RawMessage, error) {
	select {
	case <-time.After(4 * time.Second):
	case <-ctx.Done():
	}
	return nil, ctx.Err()
}

var failures = []testCase{
	{"an error is named by the type that the function returns, never by what it wraps", func(t *testing.T, s suite) {
		for name, c := range map[string]struct {
			f    workflow.Function
			want string
		}{
			"named": {refuse, "refusedError"},
			"plain": {func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, errors.New("x") }, "errorString"},
			"wrapped": {func(context.Context, json.RawMessage) (json.RawMessage, error) {
				return nil, fmt.Errorf("x: %w", refusedError{})
			}, "wrapError"},
			"panic": {func(context.Context, json.RawMessage) (json.RawMessage, error) { panic("x") }, "string"},
		} {
			h := s.engine(t, task("f", `"Catch":[{"ErrorEquals":["Other"],"Next":"Caught"}],`), map[string]workflow.Function{"f": c.f})
			wantFailed(t, h.run(name, `{}`), c.want)
		}
	}},
	{"catchers are tried in order, by the rules of the wildcards", func(t *testing.T, s suite) {
		for name, c := range map[string]struct{ function, catch, path string }{
			"by its name":                        {"refuse", `["refusedError"]`, "T Caught"},
			"by another":                         {"refuse", `["Other"]`, "T"},
			"one of several":                     {"refuse", `["Other","refusedError"]`, "T Caught"},
			"States.ALL an error":                {"refuse", `["States.ALL"]`, "T Caught"},
			"States.TaskFailed an error":         {"refuse", `["States.TaskFailed"]`, "T Caught"},
			"States.Timeout no error":            {"refuse", `["States.Timeout"]`, "T"},
			"States.ALL a timeout":               {"slow", `["States.ALL"]`, "T Caught"},
			"States.Timeout a timeout":           {"slow", `["States.Timeout"]`, "T Caught"},
			"States.TaskFailed no timeout":       {"slow", `["States.TaskFailed"]`, "T"},
			"States.HeartbeatTimeout no timeout": {"slow", `["States.HeartbeatTimeout"]`, "T"},
		} {
			h := s.engine(t, task(c.function, `"TimeoutSeconds":1,"Catch":[{"ErrorEquals":`+c.catch+`,"Next":"Caught"}],`), map[string]workflow.Function{"refuse": refuse, "slow": slow})
			h.run("a", `{}`)
			if got := workflow.Path(h.whole("a")); fmt.Sprint(got) != "["+c.path+"]" {
				t.Errorf("%s: path %v, want %s", name, got, c.path)
			}
		}
	}},
	{"a task that takes too long has timed out", func(t *testing.T, s suite) {
		h := s.engine(t, task("slow", `"TimeoutSecondsPath":"$.most",`), map[string]workflow.Function{"slow": slow})
		x := h.run("a", `{"most":1}`)
		wantFailed(t, x, "States.Timeout")
		if took := x.Ended.Sub(x.Started); took < time.Second || took > 3*time.Second {
			t.Errorf("it took %s", took)
		}
		h.wantTypes("a", "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskTimedOut ExecutionFailed")
	}},
	{"a retrier waits longer each time, up to its longest", func(t *testing.T, s suite) {
		h := s.engine(t, task("f", `"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":1,"BackoffRate":6,"MaxAttempts":3,"MaxDelaySeconds":2}],`), map[string]workflow.Function{"f": failing(3)})
		x := h.run("a", `{}`)
		wantOutput(t, x, `{"ExecutedVersion":"$LATEST","Payload":4,"StatusCode":200}`)
		if took := x.Ended.Sub(x.Started); took < 5*time.Second || took > 40*time.Second { // 1 + 2 + 2, not 1 + 6 + 36
			t.Errorf("it took %s", took)
		}
	}},
	{"each retrier counts for itself, and what it gives up is caught", func(t *testing.T, s suite) {
		h := s.engine(t, task("refuse", `"Retry":[{"ErrorEquals":["Other"],"MaxAttempts":9},{"ErrorEquals":["refusedError"],"IntervalSeconds":1,"MaxAttempts":1},{"ErrorEquals":["States.ALL"],"MaxAttempts":9}],
			"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.err","Next":"Caught"}],`), map[string]workflow.Function{"refuse": refuse})
		wantOutput(t, h.run("a", `{"in":1}`), `{"in":1,"err":{"Error":"refusedError","Cause":"{\"errorMessage\":\"p99 above 2 s\",\"errorType\":\"refusedError\"}"}}`)
		h.wantTypes("a", "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskFailed TaskStateExited SucceedStateEntered SucceedStateExited ExecutionSucceeded")
	}},
	{"no attempts means no retry", func(t *testing.T, s suite) {
		h := s.engine(t, task("refuse", `"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":0}],`), map[string]workflow.Function{"refuse": refuse})
		wantFailed(t, h.run("a", `{}`), "refusedError")
		h.wantTypes("a", "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskFailed ExecutionFailed")
	}},
	{"a fail state names its error, fixed or found", func(t *testing.T, s suite) {
		h := s.engine(t, `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.e","IsPresent":true,"Next":"Found"}],"Default":"Fixed"},
			"Found":{"Type":"Fail","ErrorPath":"$.e","CausePath":"States.Format('because of {}',$.c)"},"Fixed":{"Type":"Fail","Error":"Fixed","Cause":"so"}}}`, nil)
		for name, c := range map[string]struct{ input, err, cause string }{"found": {`{"e":"E","c":7}`, "E", "because of 7"}, "fixed": {`{}`, "Fixed", "so"}} {
			x := h.run(name, c.input)
			wantFailed(t, x, c.err)
			if x.Cause != c.cause {
				t.Errorf("%s: cause %q, want %q", name, x.Cause, c.cause)
			}
		}
		h.wantTypes("fixed", "ExecutionStarted ChoiceStateEntered ChoiceStateExited FailStateEntered ExecutionFailed")
	}},
	{"a machine that takes too long has timed out, past every catcher and without an error", func(t *testing.T, s suite) {
		h := s.engine(t, `{"TimeoutSeconds":2,"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,"Parameters":{"FunctionName":"slow"},
			"Catch":[{"ErrorEquals":["States.ALL"],"Next":"No"}],"End":true},"No":{"Type":"Succeed"}}}`, map[string]workflow.Function{"slow": slow})
		x := h.run("a", `{}`)
		if x.Status != workflow.TimedOut || x.Error != "" || x.Cause != "" {
			t.Errorf("%s with %q: %q", x.Status, x.Error, x.Cause)
		}
		h.wantTypes("a", "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted ExecutionTimedOut")
	}},
}
