package workflowtest

import (
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/workflow"
)

// pause waits for an answer; more are fields of its task.
func pause(more string) string {
	return `{"StartAt":"Pause","States":{"Pause":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken",
		"Parameters":{"FunctionName":"mail","Payload":{"token.$":"$$.Task.Token","retry.$":"$$.State.RetryCount"}},` + more + `
		"Catch":[{"ErrorEquals":["Rejected"],"ResultPath":"$.err","Next":"Rejected"},{"ErrorEquals":["States.HeartbeatTimeout","States.Timeout"],"ResultPath":"$.err","Next":"Late"}],"End":true},
		"Rejected":{"Type":"Succeed"},"Late":{"Type":"Succeed"}}}`
}

// paused makes an engine with an execution "a" that waits for the token.
func (s suite) paused(t *testing.T, more string) (h handle, token string) {
	t.Helper()
	mail := newMailbox()
	h = s.engine(t, pause(more), map[string]workflow.Function{"mail": mail.function})
	h.start("a", `{"in":1}`)
	return h, mail.next(t)
}

var tokens = []testCase{
	{"an answer goes on with its output, and a second one finds nothing", func(t *testing.T, s suite) {
		h, token := s.paused(t, `"TimeoutSeconds":600,"ResultPath":"$.approval",`)
		h.eventually("the function has returned", func() bool { return h.count("TaskSubmitted") > 0 })
		if got := h.describe("a").Status; got != workflow.Running {
			t.Fatalf("it is %s before its answer", got)
		}
		if err := h.Succeed(t.Context(), token, []byte(`{"by":"alice"}`)); err != nil {
			t.Fatal(err)
		}
		wantOutput(t, h.end("a"), `{"in":1,"approval":{"by":"alice"}}`)
		h.wantTypes("a", "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSubmitted TaskSucceeded TaskStateExited ExecutionSucceeded")
		wantKind(t, h.Succeed(t.Context(), token, []byte(`{}`)), fault.NotFound)
		wantKind(t, h.Fail(t.Context(), token, "E", "c"), fault.NotFound)
		wantKind(t, h.Heartbeat(t.Context(), token), fault.NotFound)
	}},
	{"a refusal is an error with its cause", func(t *testing.T, s suite) {
		h, token := s.paused(t, `"TimeoutSeconds":600,`)
		h.eventually("the function has returned", func() bool { return h.count("TaskSubmitted") > 0 })
		if err := h.Fail(t.Context(), token, "Rejected", "not today"); err != nil {
			t.Fatal(err)
		}
		wantOutput(t, h.end("a"), `{"in":1,"err":{"Error":"Rejected","Cause":"not today"}}`)
		h.wantPath("a", "Pause Rejected")
	}},
	{"without an answer it times out, and a late one finds nothing", func(t *testing.T, s suite) {
		h, token := s.paused(t, `"TimeoutSeconds":2,`)
		h.end("a")
		h.wantPath("a", "Pause Late")
		wantKind(t, h.Succeed(t.Context(), token, []byte(`{}`)), fault.NotFound)
	}},
	{"without a heartbeat it times out, and is reported as a timeout", func(t *testing.T, s suite) {
		h, _ := s.paused(t, `"HeartbeatSeconds":2,"TimeoutSeconds":600,`)
		wantOutput(t, h.end("a"), `{"in":1,"err":{"Error":"States.Timeout","Cause":""}}`)
		h.wantPath("a", "Pause Late")
		if h.count("TaskTimedOut") != 1 {
			t.Error("no TaskTimedOut in the history")
		}
	}},
	{"heartbeats keep it waiting", func(t *testing.T, s suite) {
		h, token := s.paused(t, `"HeartbeatSeconds":2,"TimeoutSeconds":600,`)
		for range 4 {
			time.Sleep(time.Second)
			if err := h.Heartbeat(t.Context(), token); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Succeed(t.Context(), token, []byte(`"ok"`)); err != nil {
			t.Fatal(err)
		}
		wantOutput(t, h.end("a"), `"ok"`)
	}},
	{"an error of the function fails the task at once", func(t *testing.T, s suite) {
		h := s.engine(t, pause(`"TimeoutSeconds":600,`), map[string]workflow.Function{"mail": refuse})
		wantFailed(t, h.run("a", `{}`), "refusedError")
	}},
	{"each attempt has a token of its own", func(t *testing.T, s suite) {
		mail := newMailbox()
		h := s.engine(t, pause(`"TimeoutSeconds":600,"Retry":[{"ErrorEquals":["Again"],"IntervalSeconds":1,"MaxAttempts":1}],`), map[string]workflow.Function{"mail": mail.function})
		h.start("a", `{}`)
		first := mail.next(t)
		h.eventually("the function has returned", func() bool { return h.count("TaskSubmitted") > 0 })
		if err := h.Fail(t.Context(), first, "Again", ""); err != nil {
			t.Fatal(err)
		}
		second := mail.next(t)
		h.eventually("it has returned again", func() bool { return h.count("TaskSubmitted") == 2 })
		wantKind(t, h.Succeed(t.Context(), first, []byte(`1`)), fault.NotFound)
		if err := h.Succeed(t.Context(), second, []byte(`2`)); err != nil {
			t.Fatal(err)
		}
		wantOutput(t, h.end("a"), `2`)
	}},
	{"a token of nothing and an answer that is no JSON are refused", func(t *testing.T, s suite) {
		h, token := s.paused(t, `"TimeoutSeconds":600,`)
		for _, other := range []string{"bogus", "bS9h.x", "", token + "x"} {
			wantKind(t, h.Succeed(t.Context(), other, []byte(`{}`)), fault.NotFound)
		}
		wantKind(t, h.Succeed(t.Context(), token, []byte(`{`)), fault.Invalid)
		if err := h.Succeed(t.Context(), token, []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		wantOutput(t, h.end("a"), `{}`)
	}},
}

// count is how many events of this type the history of "a" has so far.
func (h handle) count(eventType string) int {
	h.t.Helper()
	n := 0
	for _, e := range h.history("a") {
		if e.Type == eventType {
			n++
		}
	}
	return n
}
