package asl

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/fault"
	"slipway/internal/state/statetest"
	"slipway/internal/workflow"
)

func mustClose(t *testing.T, e *Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// Whatever runs by the clock ends when it would have ended, however long the process was down between.
func TestTimersGoOnAtTheirTimes(t *testing.T) {
	refuse := func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, &Failure{Name: "E"} }
	none := func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, nil }
	for name, c := range map[string]struct {
		definition string
		f          workflow.Function
		end        time.Duration
	}{
		"a wait":              {oneState(`{"Type":"Wait","Seconds":60,"End":true}`), nil, time.Minute},
		"a wait until a time": {oneState(`{"Type":"Wait","Timestamp":"2000-01-01T00:01:00Z","End":true}`), nil, time.Minute},
		"a retry":             {oneTask(`,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":20,"MaxAttempts":2}]`), refuse, time.Minute},
		"a token's timeout":   {tokenTask(`,"TimeoutSeconds":60`), none, time.Minute},
		"a machine's timeout": {`{"TimeoutSeconds":60,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":90,"End":true}}}`, nil, time.Minute},
	} {
		for _, down := range []time.Duration{0, time.Second, 30 * time.Second, 10 * time.Minute} {
			t.Run(name+" after "+down.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := statetest.MemoryHistories()
					o := Options{Machines: []*Machine{parse(t, "m", c.definition)}, Functions: map[string]workflow.Function{"f": c.f}}
					if c.f == nil {
						o.Functions = nil
					}
					e := open(t, s, o)
					start(t, e, "m", `{}`)
					time.Sleep(10 * time.Second)
					mustClose(t, e)
					time.Sleep(down)
					e = open(t, s, o)
					time.Sleep(time.Hour)
					x := describe(t, e, "m")
					want := max(c.end, 10*time.Second+down)
					if name == "a retry" { // after 20 s, or late, and again 40 s later
						want = max(20*time.Second, 10*time.Second+down) + 40*time.Second
					}
					if got := x.Ended.Sub(x.Started); got != want {
						t.Errorf("it ended after %s, want %s", got, want)
					}
				})
			})
		}
	}
}

func TestATaskThatHadNotEndedIsStartedAgainWithTheSameToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		f := func(ctx context.Context, in json.RawMessage) (json.RawMessage, error) {
			got = append(got, string(in))
			if len(got) == 1 {
				<-ctx.Done()
				return nil, ctx.Err() // must not count as a failure of the task
			}
			return nil, nil
		}
		s := statetest.MemoryHistories()
		o := Options{Machines: []*Machine{parse(t, "m", tokenTask(`,"TimeoutSeconds":600`))}, Functions: map[string]workflow.Function{"f": f}}
		e := open(t, s, o)
		start(t, e, "m", `{}`)
		synctest.Wait()
		mustClose(t, e)
		e = open(t, s, o)
		synctest.Wait()
		mustClose(t, e)
		e = open(t, s, o) // it has returned by now: it is not called a third time
		synctest.Wait()
		if len(got) != 2 || got[0] != got[1] {
			t.Fatalf("called with %q", got)
		}
		var token string
		if err := json.Unmarshal([]byte(got[0]), &token); err != nil {
			t.Fatal(err)
		}
		if err := e.Succeed(t.Context(), token, json.RawMessage(`"yes"`)); err != nil {
			t.Fatal(err)
		}
		if x := describe(t, e, "m"); x.Status != workflow.Succeeded || string(x.Output) != `"yes"` {
			t.Errorf("got %+v", x)
		}
	})
}

func TestAHeartbeatIsCountedFromTheRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := statetest.MemoryHistories()
		none := func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, nil }
		o := Options{Machines: []*Machine{parse(t, "m", tokenTask(`,"TimeoutSeconds":6000,"HeartbeatSeconds":60`))}, Functions: map[string]workflow.Function{"f": none}}
		e := open(t, s, o)
		start(t, e, "m", `{}`)
		time.Sleep(50 * time.Second)
		mustClose(t, e)
		time.Sleep(5 * time.Minute)
		e = open(t, s, o)
		time.Sleep(time.Hour)
		if x := describe(t, e, "m"); x.Error != nameTimeout || x.Ended.Sub(x.Started) != 410*time.Second {
			t.Errorf("%s after %s", x.Error, x.Ended.Sub(x.Started))
		}
	})
}

// AWS documents both names, and reports the second.
func TestAMissedHeartbeatIsCaughtByEitherName(t *testing.T) {
	for _, name := range []string{"States.HeartbeatTimeout", "States.Timeout"} {
		synctest.Test(t, func(t *testing.T) {
			none := func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, nil }
			definition := tokenTask(`,"HeartbeatSeconds":5,"TimeoutSeconds":600,"Catch":[{"ErrorEquals":["` + name + `"],"ResultPath":"$.err","Next":"B"}]`)
			definition = strings.TrimSuffix(definition, "}}") + `,"B":{"Type":"Succeed"}}}`
			e := open(t, statetest.MemoryHistories(), Options{Machines: []*Machine{parse(t, "m", definition)}, Functions: map[string]workflow.Function{"f": none}})
			start(t, e, "m", `{}`)
			time.Sleep(time.Minute)
			if x := describe(t, e, "m"); string(x.Output) != `{"err":{"Cause":"","Error":"States.Timeout"}}` {
				t.Errorf("%s: %+v", name, x)
			}
		})
	}
}

func TestAnExecutionKeepsTheDefinitionItWasStartedWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := statetest.MemoryHistories()
		old := `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"Next":"T"},"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"gone"},
			"Catch":[{"ErrorEquals":["Lambda.ResourceNotFoundException"],"Next":"B"}],"End":true},"B":{"Type":"Succeed"}}}`
		none := func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, nil }
		e := open(t, s, Options{Machines: []*Machine{parse(t, "m", old)}, Functions: map[string]workflow.Function{"gone": none}})
		start(t, e, "m", `{}`)
		synctest.Wait()
		mustClose(t, e)
		e = open(t, s, Options{Machines: []*Machine{parse(t, "m", onePass(``))}})
		time.Sleep(time.Hour)
		if got := workflow.Path(history(t, e, "m")); len(got) != 3 || got[2] != "B" {
			t.Errorf("path %v, want A T B", got)
		}
	})
}

// A history that this version cannot follow ends with a reason; the others go on.
func TestWhatCannotGoOnFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := statetest.MemoryHistories()
		wait := parse(t, "m", oneState(`{"Type":"Wait","Seconds":60,"End":true}`))
		e := open(t, s, Options{Machines: []*Machine{wait}})
		start(t, e, "m", `{}`)
		synctest.Wait()
		mustClose(t, e)
		for key, definition := range map[string]string{"m/refused": oneState(`{"Type":"Map","End":true}`), "m/strange": onePass(``)} {
			started := entry{Event: workflow.Event{ID: 1, Type: "ExecutionStarted", Time: time.Now(), Data: json.RawMessage(`{}`)}, Definition: definition}
			entered := entry{Event: workflow.Event{ID: 2, Type: "PassStateEntered", State: "Nowhere", Time: time.Now(), Data: json.RawMessage(`{}`)}}
			if err := s.Append(t.Context(), key, 0, [][]byte{mustEncode(t, started), mustEncode(t, entered)}, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		var told atomic.Int32
		e = open(t, s, Options{Machines: []*Machine{wait}, Ended: func(context.Context, workflow.Execution) { told.Add(1) }})
		synctest.Wait()
		for _, name := range []string{"refused", "strange"} {
			x, err := e.Describe(t.Context(), "m", name)
			if err != nil || x.Status != workflow.Failed || x.Error != nameRuntime {
				t.Errorf("%s: %+v, %v", name, x, err)
			}
		}
		if told.Load() != 2 {
			t.Errorf("told of %d", told.Load())
		}
		time.Sleep(time.Hour)
		if x := describe(t, e, "m"); x.Status != workflow.Succeeded {
			t.Errorf("the other is %s", x.Status)
		}
	})
}

func TestADamagedEventKeepsTheEngineFromOpening(t *testing.T) {
	s := statetest.MemoryHistories()
	if err := s.Append(t.Context(), "m/a", 0, [][]byte{[]byte(`{`)}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s, Options{}); err == nil {
		t.Fatal("it opened")
	}
}

func TestAClosedEngineTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := statetest.MemoryHistories()
		var token string
		f := func(_ context.Context, in json.RawMessage) (json.RawMessage, error) {
			return nil, json.Unmarshal(in, &token)
		}
		o := Options{Machines: []*Machine{parse(t, "m", tokenTask(``))}, Functions: map[string]workflow.Function{"f": f}}
		e := open(t, s, o)
		start(t, e, "m", `{}`)
		synctest.Wait()
		mustClose(t, e)
		before, err := s.Read(t.Context(), "m/a")
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Start(t.Context(), "m", "b", json.RawMessage(`{}`)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("start: %v", err)
		}
		if err := e.Stop(t.Context(), "m", "a", "", ""); !fault.Is(err, fault.Unavailable) {
			t.Errorf("stop: %v", err)
		}
		// Not "not found", which means that it is decided.
		if err := e.Succeed(t.Context(), token, json.RawMessage(`{}`)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("answer: %v", err)
		}
		after, err := s.Read(t.Context(), "m/a")
		if err != nil || len(after) != len(before) {
			t.Errorf("%d events, then %d, %v", len(before), len(after), err)
		}
	})
}
