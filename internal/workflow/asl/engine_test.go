package asl

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/fault"
	"slipway/internal/state/statetest"
	"slipway/internal/workflow"
)

func TestScaledTimeScalesWaitsAndNotWork(t *testing.T) {
	slow := func(context.Context, json.RawMessage) (json.RawMessage, error) {
		time.Sleep(3 * time.Second)
		return nil, nil
	}
	for name, c := range map[string]struct {
		definition string
		took       time.Duration
		status     workflow.Status
	}{
		"a wait":              {oneState(`{"Type":"Wait","Seconds":600,"End":true}`), time.Minute, workflow.Succeeded},
		"a wait until a time": {oneState(`{"Type":"Wait","Timestamp":"2000-01-01T00:10:00Z","End":true}`), time.Minute, workflow.Succeeded},
		"a token's timeout":   {tokenTask(`,"TimeoutSeconds":600`), time.Minute, workflow.Failed},
		"a heartbeat":         {tokenTask(`,"TimeoutSeconds":900,"HeartbeatSeconds":600`), time.Minute, workflow.Failed},
		"a machine's timeout": {`{"TimeoutSeconds":600,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":900,"End":true}}}`, time.Minute, workflow.TimedOut},
		"a retry":             {strings.Replace(oneTask(`,"Retry":[{"ErrorEquals":["States.ALL"],"IntervalSeconds":600,"MaxAttempts":1}]`), `"f"`, `"fail"`, 1), time.Minute, workflow.Failed},
		"a function":          {oneTask(`,"TimeoutSeconds":4`), 3 * time.Second, workflow.Succeeded},
		"a slow function":     {oneTask(`,"TimeoutSeconds":2`), 2 * time.Second, workflow.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := open(t, statetest.MemoryHistories(), Options{Speed: 10, Machines: []*Machine{parse(t, "m", c.definition)}, Functions: map[string]workflow.Function{
					"f": slow, "fail": func(context.Context, json.RawMessage) (json.RawMessage, error) { return nil, &Failure{Name: "E"} },
				}})
				start(t, e, "m", `{}`)
				time.Sleep(time.Hour)
				if x := describe(t, e, "m"); x.Status != c.status || x.Ended.Sub(x.Started) != c.took {
					t.Errorf("%s after %s, want %s after %s", x.Status, x.Ended.Sub(x.Started), c.status, c.took)
				}
			})
		})
	}
}

func TestANameIsFreeAgainAfterNinetyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := open(t, statetest.MemoryHistories(), Options{Machines: []*Machine{parse(t, "m", onePass(``))}})
		start(t, e, "m", `1`)
		time.Sleep(workflow.NameTaken - time.Nanosecond)
		if err := e.Start(t.Context(), "m", "a", json.RawMessage(`1`)); !fault.Is(err, fault.Conflict) {
			t.Fatalf("a moment before: %v", err)
		}
		time.Sleep(time.Nanosecond)
		start(t, e, "m", `2`)
		synctest.Wait()
		if x := describe(t, e, "m"); string(x.Output) != `2` {
			t.Errorf("output %s", x.Output)
		}
	})
}

const loop = `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}}`

func TestAHistoryEndsAtItsLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := open(t, statetest.MemoryHistories(), Options{Machines: []*Machine{parse(t, "m", loop)}})
		start(t, e, "m", `{}`)
		synctest.Wait()
		events := history(t, e, "m")
		last := events[len(events)-1]
		if len(events) != workflow.MaxEvents || last.Type != "ExecutionFailed" || last.Error != nameRuntime || !strings.Contains(last.Cause, "25000") {
			t.Errorf("%d events, the last is %+v", len(events), last)
		}
	})
}

func TestTheLastEventMayBeAnOrdinaryEnd(t *testing.T) {
	some := make([]entry, 3)
	done := append(some[:2:2], entry{Event: workflow.Event{Type: "ExecutionSucceeded"}})
	for _, c := range []struct {
		batch []entry
		room  int
		want  int
		fails bool
	}{
		{some, 4, 3, false}, {some, 3, 3, true}, {done, 3, 3, false}, {done, 2, 2, true}, {some, 1, 1, true}, {done, 1, 1, true},
	} {
		got := capped(c.batch, workflow.MaxEvents-c.room)
		if fails := got[len(got)-1].Type == "ExecutionFailed"; len(got) != c.want || fails != c.fails {
			t.Errorf("%d events into %d: %d, fails %t", len(c.batch), c.room, len(got), fails)
		}
	}
}

// A state machine that never waits can be stopped all the same.
func TestALoopCanBeStopped(t *testing.T) {
	e := open(t, statetest.MemoryHistories(), Options{Machines: []*Machine{parse(t, "m", loop)}})
	start(t, e, "m", `{}`)
	if err := e.Stop(t.Context(), "m", "a", "Operator", strings.Repeat("x", workflow.MaxCause+1)); err != nil {
		t.Fatal(err)
	}
	x := describe(t, e, "m")
	if x.Status != workflow.Aborted || len(x.Cause) != workflow.MaxCause {
		t.Errorf("%s with %d characters of cause", x.Status, len(x.Cause))
	}
}

func TestTooManyExecutionsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := open(t, statetest.MemoryHistories(), Options{MaxRunning: 2, Machines: []*Machine{parse(t, "m", oneState(`{"Type":"Wait","Seconds":60,"End":true}`))}})
		for _, name := range []string{"a", "b", "a"} { // the last is the first
			if err := e.Start(t.Context(), "m", name, json.RawMessage(`{}`)); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Start(t.Context(), "m", "c", json.RawMessage(`{}`)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("the third: %v", err)
		}
		time.Sleep(2 * time.Minute)
		if err := e.Start(t.Context(), "m", "c", json.RawMessage(`{}`)); err != nil {
			t.Errorf("after the end of the others: %v", err)
		}
	})
}

func TestNoMoreThanSoManyFunctionsRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		f := func(context.Context, json.RawMessage) (json.RawMessage, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			running--
			mu.Unlock()
			return nil, nil
		}
		e := open(t, statetest.MemoryHistories(), Options{Machines: []*Machine{parse(t, "m", oneTask(``))}, Functions: map[string]workflow.Function{"f": f}})
		for i := range 2*maxCalls + 1 {
			if err := e.Start(t.Context(), "m", strings.Repeat("x", i%64+1)+strings.Repeat("y", i/64), json.RawMessage(`{}`)); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if most != maxCalls {
			t.Errorf("%d at once, want %d", most, maxCalls)
		}
	})
}

func TestEveryEndIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		told := map[string]int{}
		e := open(t, statetest.MemoryHistories(), Options{
			Machines: []*Machine{parse(t, "good", onePass(``)), parse(t, "bad", oneState(`{"Type":"Fail","Error":"E"}`)),
				parse(t, "late", `{"TimeoutSeconds":5,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"End":true}}}`), parse(t, "stopped", oneState(`{"Type":"Wait","Seconds":60,"End":true}`))},
			Ended: func(_ context.Context, x workflow.Execution) {
				mu.Lock()
				defer mu.Unlock()
				told[x.Machine+" "+string(x.Status)]++
			},
		})
		for _, m := range []string{"good", "bad", "late", "stopped"} {
			start(t, e, m, `{}`)
		}
		time.Sleep(time.Second)
		for range 2 {
			if err := e.Stop(t.Context(), "stopped", "a", "", ""); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		mu.Lock()
		defer mu.Unlock()
		for _, want := range []string{"good SUCCEEDED", "bad FAILED", "late TIMED_OUT", "stopped ABORTED"} {
			if told[want] != 1 {
				t.Errorf("%s was told %d times", want, told[want])
			}
		}
	})
}

func TestAMissingFunctionIsRefusedWhenTheEngineOpens(t *testing.T) {
	_, err := Open(t.Context(), statetest.MemoryHistories(), Options{Machines: []*Machine{parse(t, "m", oneTask(``))}})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `States.A.Parameters.FunctionName: there is no function "f"`) {
		t.Fatalf("got %v", err)
	}
	if _, err := Open(t.Context(), statetest.MemoryHistories(), Options{Speed: -1}); !fault.Is(err, fault.Invalid) {
		t.Fatalf("a negative speed: %v", err)
	}
}

// The answer that comes before the function that handed the token out has returned counts; what the function then says
// does not.
func TestAnAnswerMayOvertakeItsFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e *Engine
		f := func(ctx context.Context, in json.RawMessage) (json.RawMessage, error) {
			var token string
			if err := json.Unmarshal(in, &token); err != nil {
				return nil, err
			}
			if err := e.Succeed(ctx, token, json.RawMessage(`"early"`)); err != nil {
				return nil, err
			}
			return nil, &Failure{Name: "TooLate"}
		}
		e = open(t, statetest.MemoryHistories(), Options{Machines: []*Machine{parse(t, "m", tokenTask(``))}, Functions: map[string]workflow.Function{"f": f}})
		start(t, e, "m", `{}`)
		synctest.Wait()
		if x := describe(t, e, "m"); string(x.Output) != `"early"` {
			t.Errorf("got %+v", x)
		}
	})
}

func TestACallWhoseContextHasEndedDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := make(chan string, 1)
		f := func(_ context.Context, in json.RawMessage) (json.RawMessage, error) {
			var token string
			err := json.Unmarshal(in, &token)
			tokens <- token
			return nil, err
		}
		e := open(t, statetest.MemoryHistories(), Options{Machines: []*Machine{parse(t, "m", tokenTask(``))}, Functions: map[string]workflow.Function{"f": f}})
		start(t, e, "m", `{}`)
		token := <-tokens
		synctest.Wait()
		before := len(history(t, e, "m"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, err := range map[string]error{
			"start":   e.Start(ctx, "m", "b", json.RawMessage(`{}`)),
			"stop":    e.Stop(ctx, "m", "a", "", ""),
			"succeed": e.Succeed(ctx, token, json.RawMessage(`{}`)),
			"fail":    e.Fail(ctx, token, "E", ""),
		} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if after := len(history(t, e, "m")); after != before {
			t.Errorf("%d events became %d", before, after)
		}
		if err := e.Succeed(t.Context(), token, json.RawMessage(`{}`)); err != nil {
			t.Errorf("the engine has halted: %v", err)
		}
	})
}
