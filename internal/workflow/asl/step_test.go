package asl

import (
	"encoding/json"
	"strings"
	"testing"

	"slipway/internal/workflow"
)

// caught is a task of function f with a catcher for everything, and with more fields.
func caught(more string) string {
	return strings.TrimSuffix(oneTask(more+`,"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.err.name","Next":"B"}]`), "}}") + `,"B":{"Type":"Succeed"}}}`
}

// What is wrong with data shows only at run time. What AWS calls terminal no catcher sees, the rest it does.
func TestDataThatDoesNotFitFailsByName(t *testing.T) {
	large := `"` + strings.Repeat("x", workflow.MaxData) + `"`
	for name, c := range map[string]struct{ definition, input, result, want string }{
		"a wait of a text":               {oneState(`{"Type":"Wait","SecondsPath":"$.s","End":true}`), `{"s":"60"}`, ``, nameRuntime},
		"a wait of less than nothing":    {oneState(`{"Type":"Wait","SecondsPath":"$.s","End":true}`), `{"s":-1}`, ``, nameRuntime},
		"a wait of half a second":        {oneState(`{"Type":"Wait","SecondsPath":"$.s","End":true}`), `{"s":0.5}`, ``, nameRuntime},
		"a wait of nothing":              {oneState(`{"Type":"Wait","SecondsPath":"$.s","End":true}`), `{"s":0}`, ``, ""},
		"a wait of what is missing":      {oneState(`{"Type":"Wait","SecondsPath":"$.s","End":true}`), `{}`, ``, nameRuntime},
		"a wait until no time":           {oneState(`{"Type":"Wait","TimestampPath":"$.s","End":true}`), `{"s":"tomorrow"}`, ``, nameRuntime},
		"a wait until what is missing":   {oneState(`{"Type":"Wait","TimestampPath":"$.s","End":true}`), `{}`, ``, nameRuntime},
		"an error that is no text":       {oneState(`{"Type":"Fail","ErrorPath":"$.e"}`), `{"e":1}`, ``, nameRuntime},
		"an error that is missing":       {oneState(`{"Type":"Fail","ErrorPath":"$.e"}`), `{}`, ``, nameRuntime},
		"a cause that is no text":        {oneState(`{"Type":"Fail","CausePath":"$.e"}`), `{"e":1}`, ``, nameRuntime},
		"an output that is missing":      {onePass(`,"OutputPath":"$.a"`), `{}`, ``, nameRuntime},
		"a result into a text":           {onePass(`,"ResultPath":"$.b"`), `"x"`, ``, nameResultPath},
		"an output that is too large":    {onePass(`,"Parameters":{"a.$":"$","b.$":"$"}`), large[:150_000] + `"`, ``, nameTooLarge},
		"a timeout that is missing":      {caught(`,"TimeoutSecondsPath":"$.t"`), `{}`, ``, nameRuntime},
		"a timeout of nothing":           {caught(`,"TimeoutSecondsPath":"$.t"`), `{"t":0}`, ``, nameRuntime},
		"a heartbeat that is too slow":   {tokenTask(`,"TimeoutSecondsPath":"$.t","HeartbeatSecondsPath":"$.h"`), `{"t":5,"h":5}`, ``, nameRuntime},
		"a heartbeat that is missing":    {tokenTask(`,"HeartbeatSecondsPath":"$.h"`), `{}`, ``, nameRuntime},
		"a payload that is missing":      {strings.Replace(caught(``), `"FunctionName":"f"`, `"FunctionName":"f","Payload.$":"$.p"`, 1), `{}`, ``, nameRuntime},
		"a payload of a wrong sum":       {strings.Replace(caught(``), `"FunctionName":"f"`, `"FunctionName":"f","Payload.$":"States.MathAdd($.p,1)"`, 1), `{"p":"x"}`, ``, "caught " + nameIntrinsic},
		"a result that is too large":     {caught(``), `{}`, large, nameTooLarge},
		"a result without its selection": {caught(`,"ResultSelector":{"a.$":"$.Payload.a"}`), `{}`, `{}`, nameRuntime},
		"a result of a wrong sum":        {caught(`,"ResultSelector":{"a.$":"States.MathAdd($.Payload,1)"}`), `{}`, `"x"`, "caught " + nameIntrinsic},
		"a result that fits nowhere":     {caught(`,"ResultPath":"$.a.b"`), `{"a":1}`, `{}`, "caught " + nameResultPath},
		"an error that fits nowhere":     {caught(`,"ResultPath":"$.a.b"`), `{"a":1,"err":1}`, `{}`, nameResultPath},
		"a result that fits":             {caught(`,"ResultPath":"$.a"`), `{"a":1}`, `{}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulate(t, parse(t, "m", c.definition), c.input, func(json.RawMessage) (json.RawMessage, *Failure) { return json.RawMessage(c.result), nil })
			got := s.Error
			if s.state.name == "B" {
				var output struct {
					Err struct{ Name struct{ Error string } }
				}
				if err := json.Unmarshal(s.Output, &output); err != nil {
					t.Fatal(err)
				}
				got = "caught " + output.Err.Name.Error
			}
			if got != c.want {
				t.Errorf("got %q: %s; want %q", got, s.Cause, c.want)
			}
			if s.Error == nameRuntime && !strings.Contains(s.Cause, "while executing the state 'A'") {
				t.Errorf("the cause does not name the state: %s", s.Cause)
			}
			if len(s.Cause) > 1000 {
				t.Errorf("the cause has %d characters", len(s.Cause))
			}
		})
	}
}

func TestRetriesWaitAsTheirRetrierSays(t *testing.T) {
	second := int64(1e9)
	for name, c := range map[string]struct {
		one  retrier
		want []int64 // seconds
	}{
		"doubling":      {retrier{interval: 1e9, rate: 2}, []int64{1, 2, 4, 8, 16}},
		"even":          {retrier{interval: 3e9, rate: 1}, []int64{3, 3, 3}},
		"by a half":     {retrier{interval: 2e9, rate: 1.5}, []int64{2, 3}},
		"up to a limit": {retrier{interval: 1e9, rate: 10, longest: 50e9}, []int64{1, 10, 50, 50}},
		"without end":   {retrier{interval: 1e9, rate: 1e6}, []int64{1, 1_000_000, 99_999_999, 99_999_999}},
	} {
		for i, want := range c.want {
			if got := c.one.delay(int64(i+1), "x"); int64(got) != want*second {
				t.Errorf("%s: retry %d after %s, want %d s", name, i+1, got, want)
			}
			jittered := c.one
			jittered.jitter = true
			a, b := jittered.delay(int64(i+1), "x"), jittered.delay(int64(i+1), "x")
			if a != b || a < 0 || int64(a) > want*second {
				t.Errorf("%s with jitter: retry %d after %s, then %s", name, i+1, a, b)
			}
		}
	}
}

func TestADamagedHistoryIsNoticed(t *testing.T) {
	event := func(id int, typ, state, data string) entry {
		return entry{Event: workflow.Event{ID: id, Type: typ, State: state, Data: json.RawMessage(data)}}
	}
	for name, events := range map[string][]entry{
		"a gap":                      {event(1, "ExecutionStarted", "", `{}`), event(3, "PassStateEntered", "A", `{}`)},
		"an event twice":             {event(1, "ExecutionStarted", "", `{}`), event(1, "ExecutionStarted", "", `{}`)},
		"a state that is not there":  {event(1, "PassStateEntered", "Gone", `{}`)},
		"an input that is no JSON":   {event(1, "PassStateEntered", "A", `{`)},
		"a task before any state":    {event(1, "TaskScheduled", "", `{}`)},
		"a task in a pass":           {event(1, "PassStateEntered", "A", `{}`), event(2, "TaskFailed", "", ``)},
		"a call that cannot be read": {event(1, "TaskStateEntered", "T", `{}`), event(2, "TaskScheduled", "", `[`)},
	} {
		m := parse(t, "m", `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"T"},"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"End":true}}}`)
		c := &cursor{machine: m, speed: 1}
		var err error
		for _, e := range events {
			if err = c.apply(e); err != nil {
				break
			}
		}
		if err == nil {
			t.Errorf("%s was not noticed", name)
		}
	}
}
