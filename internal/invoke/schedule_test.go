package invoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/fault"
)

// told is a logger and the lines that it was told.
func told() (*slog.Logger, func(t *testing.T) []map[string]any) {
	var b bytes.Buffer
	return slog.New(slog.NewJSONHandler(&b, nil)), func(t *testing.T) []map[string]any {
		t.Helper()
		var out []map[string]any
		for line := range strings.Lines(b.String()) {
			var v map[string]any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
		return out
	}
}

func TestEachScheduleDoesItsTask(t *testing.T) {
	for file, want := range map[string]string{"schedule/drift.json": TaskDrift, "schedule/branches.json": TaskBranches} {
		var done []string
		log, lines := told()
		do := func(name string) func(context.Context) error {
			return func(context.Context) error { done = append(done, name); return nil }
		}
		s := Schedule{Log: log, Tasks: map[string]func(context.Context) error{TaskDrift: do(TaskDrift), TaskBranches: do(TaskBranches)}}
		if err := s.Handle(t.Context(), json.RawMessage(load[string](t, file))); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if l := lines(t); len(done) != 1 || done[0] != want || len(l) != 1 || l[0]["task"] != want || l[0]["level"] != "INFO" {
			t.Errorf("%s: did %v, log %v", file, done, l)
		}
	}
}

func TestAnEventThatIsNoScheduleIsRefusedWithOneLine(t *testing.T) {
	for name, c := range map[string]struct{ event, want string }{
		"no JSON":                  {`{`, "decode schedule event"},
		"nothing":                  {``, "decode schedule event"},
		"another type":             {`["drift"]`, "decode schedule event"},
		"another type of the task": {`{"task":1}`, "decode schedule event"},
		"an unknown field":         {`{"task":"drift","cluster":"a"}`, `unknown field "cluster"`},
		"a field in another case":  {`{"Task":"drift"}`, `unknown field "Task"`},
		"a field twice":            {`{"task":"drift","task":"branches"}`, `duplicate field "task"`},
		"more than one":            {`{"task":"drift"}{}`, "decode schedule event"},
		"too long":                 {`{"task":"drift"}` + strings.Repeat(" ", maxEvent), "at most 4096"},
		"no task":                  {`{}`, `run task "": there are branches, drift`},
		"null":                     {`null`, `run task "": there are`},
		"an unknown task":          {`{"task":"drift "}`, `run task "drift ": there are branches, drift`},
		"EventBridge's own event":  {`{"version":"0","detail-type":"Scheduled Event","source":"aws.events"}`, "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			log, lines := told()
			never := func(context.Context) error { t.Error("a task was done"); return nil }
			s := Schedule{Log: log, Tasks: map[string]func(context.Context) error{TaskDrift: never, TaskBranches: never}}
			err := s.Handle(t.Context(), json.RawMessage(c.event))
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if l := lines(t); len(l) != 1 || l[0]["level"] != "ERROR" || l[0]["error"] == "" {
				t.Errorf("log %v", l)
			}
		})
	}
}

func TestATaskEndsBeforeTheInvocationDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, lines := told()
		s := Schedule{Log: log, Tasks: map[string]func(context.Context) error{TaskDrift: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		if err := s.Handle(ctx, json.RawMessage(`{"task":"drift"}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if d := time.Since(start); d != time.Minute-margin {
			t.Errorf("ended after %s", d)
		}
		time.Sleep(time.Second)
		if err := s.Handle(ctx, json.RawMessage(`{"task":"drift"}`)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "time is over") {
			t.Errorf("begun a second before the end: %v", err)
		}
		if l := lines(t); len(l) != 2 || l[0]["ms"] != float64(58000) || l[0]["level"] != "ERROR" {
			t.Errorf("log %v", l)
		}
	})
}

func TestAStoppedProcessIsNoError(t *testing.T) {
	log, lines := told()
	s := Schedule{Log: log, Tasks: map[string]func(context.Context) error{TaskDrift: func(ctx context.Context) error { return ctx.Err() }}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Handle(ctx, json.RawMessage(`{"task":"drift"}`)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if l := lines(t); len(l) != 1 || l[0]["level"] != "INFO" {
		t.Errorf("log %v", l)
	}
}
