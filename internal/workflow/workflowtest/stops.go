package workflowtest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/workflow"
)

// wantStopped stops "a" and checks that nothing follows, however long one waits.
func (h handle) wantStopped(path string) {
	h.t.Helper()
	if err := h.Stop(h.t.Context(), "m", "a", "Operator", "enough"); err != nil {
		h.t.Fatal(err)
	}
	h.eventually("it is stopped", func() bool { return h.describe("a").Status != workflow.Running })
	time.Sleep(6 * time.Second) // longer than any wait and any function of these cases
	x := h.describe("a")
	if x.Status != workflow.Aborted || x.Error != "Operator" || x.Cause != "enough" || x.Ended.IsZero() {
		h.t.Errorf("it is %s with %q: %q", x.Status, x.Error, x.Cause)
	}
	history := h.whole("a")
	if last := history[len(history)-1].Type; last != "ExecutionAborted" {
		h.t.Errorf("the last event is %s", last)
	}
	h.wantPath("a", path)
}

var stops = []testCase{
	{"a stop during a wait", func(t *testing.T, s suite) {
		h := s.engine(t, `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":3,"Next":"P"},"P":{"Type":"Pass","End":true}}}`, nil)
		h.start("a", `{}`)
		h.wantStopped("W")
	}},
	{"a stop while a token is waited for runs no catcher and ends the token", func(t *testing.T, s suite) {
		h, token := s.paused(t, `"TimeoutSeconds":600,`)
		h.wantStopped("Pause")
		wantKind(t, h.Succeed(t.Context(), token, []byte(`{}`)), fault.NotFound)
	}},
	{"a stop while a function runs that ends well", func(t *testing.T, s suite) {
		h := s.engine(t, task("f", `"TimeoutSeconds":60,`), map[string]workflow.Function{"f": slow})
		h.start("a", `{}`)
		h.eventually("it runs", func() bool { return h.count("TaskStarted") > 0 })
		h.wantStopped("T")
	}},
	{"a stop while a function runs that then fails", func(t *testing.T, s suite) {
		h := s.engine(t, task("f", `"TimeoutSeconds":60,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}],`),
			map[string]workflow.Function{"f": func(ctx context.Context, in json.RawMessage) (json.RawMessage, error) {
				if _, err := slow(ctx, in); err != nil {
					return nil, err
				}
				return nil, refusedError{"too late"}
			}})
		h.start("a", `{}`)
		h.eventually("it runs", func() bool { return h.count("TaskStarted") > 0 })
		h.wantStopped("T")
	}},
	{"a stop between two attempts", func(t *testing.T, s suite) {
		h := s.engine(t, task("f", `"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":4}],`), map[string]workflow.Function{"f": refuse})
		h.start("a", `{}`)
		h.eventually("it has failed", func() bool { return h.count("TaskFailed") > 0 })
		h.wantStopped("T")
	}},
	{"stopping what has ended changes nothing", func(t *testing.T, s suite) {
		h := s.engine(t, atOnce, nil)
		h.run("a", `{}`)
		if err := h.Stop(t.Context(), "m", "a", "Operator", "enough"); err != nil {
			t.Fatal(err)
		}
		wantOutput(t, h.describe("a"), `{}`)
	}},
}
