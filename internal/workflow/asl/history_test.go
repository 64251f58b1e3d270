package asl

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/state/statetest"
	"slipway/internal/workflow"
)

var update = flag.Bool("update", false, "write the golden files")

// small has every state type, both kinds of task, a retry, a catcher and a loop.
const small = `{"StartAt":"Begin","TimeoutSeconds":3600,"States":{
"Begin":{"Type":"Pass","Parameters":{"i":0,"rollout.$":"$.rollout"},"Next":"SetWeight"},
"SetWeight":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":30,"Parameters":{"FunctionName":"weight","Payload":{"i.$":"$.i","try.$":"$$.State.RetryCount"}},
	"ResultSelector":{"i.$":"States.MathAdd($.Payload.i,1)"},"ResultPath":"$.did",
	"Retry":[{"ErrorEquals":["Lambda.TooManyRequestsException"],"IntervalSeconds":2,"MaxAttempts":2,"BackoffRate":2,"JitterStrategy":"FULL"}],
	"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.err","Next":"Rollback"}],"Next":"Bake"},
"Bake":{"Type":"Wait","Seconds":20,"Next":"Pause"},
"Pause":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","TimeoutSeconds":600,"HeartbeatSeconds":300,
	"Parameters":{"FunctionName":"pause","Payload":{"token.$":"$$.Task.Token"}},"ResultPath":"$.answer",
	"Catch":[{"ErrorEquals":["Aborted","States.Timeout"],"ResultPath":"$.err","Next":"Rollback"}],"Next":"Count"},
"Count":{"Type":"Pass","Parameters":{"i.$":"$.did.i","rollout.$":"$.rollout","by.$":"$.answer.by"},"Next":"More"},
"More":{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThan":2,"Next":"SetWeight"}],"Default":"Promoted"},
"Promoted":{"Type":"Succeed","OutputPath":"$.by"},
"Rollback":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":30,"Parameters":{"FunctionName":"rollback","Payload.$":"$.err"},"ResultPath":null,"Next":"RolledBack"},
"RolledBack":{"Type":"Fail","ErrorPath":"$.err.Error","CausePath":"$.err.Cause"}}}`

// rig is the functions of small: SetWeight is throttled once a step, Pause is answered by a person after a minute, who
// tries again until somebody has taken the answer.
type rig struct {
	engine atomic.Pointer[Engine]
	answer func(e *Engine, token string) error
}

func (r *rig) send(token string) {
	if err := r.answer(r.engine.Load(), token); err != nil && !fault.Is(err, fault.NotFound) {
		time.AfterFunc(10*time.Second, func() { r.send(token) })
	}
}

func (r *rig) functions() map[string]workflow.Function {
	return map[string]workflow.Function{
		"weight": func(_ context.Context, in json.RawMessage) (json.RawMessage, error) {
			if strings.Contains(string(in), `"try":0`) {
				return nil, &Failure{Name: "Lambda.TooManyRequestsException", Cause: "slow down"}
			}
			return in, nil
		},
		"pause": func(_ context.Context, in json.RawMessage) (json.RawMessage, error) {
			var payload struct{ Token string }
			if err := json.Unmarshal(in, &payload); err != nil {
				return nil, err
			}
			if r.answer != nil {
				time.AfterFunc(time.Minute, func() { r.send(payload.Token) })
			}
			return nil, nil
		},
		"rollback": func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, nil },
	}
}

func promote(e *Engine, token string) error {
	return e.Succeed(context.Background(), token, json.RawMessage(`{"by":"alice"}`))
}

func abort(e *Engine, token string) error {
	return e.Fail(context.Background(), token, "Aborted", "by bob")
}

func TestHistoriesAreAsTheyWere(t *testing.T) {
	for name, answer := range map[string]func(*Engine, string) error{"promoted": promote, "aborted": abort, "forgotten": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &rig{answer: answer}
				e := open(t, statetest.MemoryHistories(), Options{Machines: []*Machine{parse(t, "rollout", small)}, Functions: r.functions()})
				r.engine.Store(e)
				start(t, e, "rollout", `{"rollout":"in-cluster/shop/order-service"}`)
				time.Sleep(time.Hour)
				golden(t, name, history(t, e, "rollout"))
			})
		})
	}
}

// start starts the execution "a".
func start(t *testing.T, e *Engine, machine, input string) {
	t.Helper()
	if err := e.Start(t.Context(), machine, "a", json.RawMessage(input)); err != nil {
		t.Fatal(err)
	}
}

// describe is how the execution "a" stands.
func describe(t *testing.T, e *Engine, machine string) workflow.Execution {
	t.Helper()
	x, err := e.Describe(t.Context(), machine, "a")
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// history is that of the execution "a".
func history(t *testing.T, e *Engine, machine string) []workflow.Event {
	t.Helper()
	events, err := e.History(t.Context(), machine, "a")
	if err != nil {
		t.Fatal(err)
	}
	return events
}

var tokenText = regexp.MustCompile(`"token":"[^"]*"`)

func golden(t *testing.T, name string, events []workflow.Event) {
	t.Helper()
	var b strings.Builder
	for _, e := range events {
		line := fmt.Sprintf("%3d %9s %-20s %-10s", e.ID, e.Time.Sub(events[0].Time).Round(time.Millisecond), e.Type, e.State)
		for _, more := range []string{tokenText.ReplaceAllString(string(e.Data), `"token":"..."`), e.Error, e.Cause} {
			if more != "" {
				line += " " + more
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("history of %s:\n%s", name, diff)
	}
}
