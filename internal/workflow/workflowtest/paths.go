package workflowtest

import (
	"testing"
	"time"

	"slipway/internal/workflow"
)

// canary has the shape of the rollout's machine: steps in a loop, a bake, an analysis, a promotion, a way back.
const canary = `{"StartAt":"SetWeight","TimeoutSeconds":3600,"States":{
"SetWeight":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,"Parameters":{"FunctionName":"weight","Payload":{"i.$":"$.i"}},
	"ResultSelector":{"set.$":"$.Payload.i"},"ResultPath":"$.weight","Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.err","Next":"Rollback"}],"Next":"Bake"},
"Bake":{"Type":"Wait","SecondsPath":"$.bake","Next":"Analyze"},
"Analyze":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,"Parameters":{"FunctionName":"analyze"},"ResultPath":null,
	"Retry":[{"ErrorEquals":["refusedError"],"IntervalSeconds":1,"MaxAttempts":2,"BackoffRate":1.0}],
	"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.err","Next":"Rollback"}],"Next":"Count"},
"Count":{"Type":"Pass","Parameters":{"i.$":"States.MathAdd($.i,1)","bake.$":"$.bake","last.$":"$.weight.set"},"Next":"More"},
"More":{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThan":2,"Next":"SetWeight"}],"Default":"Done"},
"Done":{"Type":"Succeed"},
"Rollback":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,"Parameters":{"FunctionName":"weight","Payload":{"i":0}},"ResultPath":null,"Next":"RolledBack"},
"RolledBack":{"Type":"Fail","ErrorPath":"$.err.Error","CausePath":"$.err.Cause"}}}`

var paths = []testCase{
	{"a canary goes through its steps", func(t *testing.T, s suite) {
		h := s.engine(t, canary, map[string]workflow.Function{"weight": echo, "analyze": failing(2)})
		wantOutput(t, h.run("a", `{"i":0,"bake":1}`), `{"i":2,"bake":1,"last":1}`)
		h.wantPath("a", "SetWeight Bake Analyze Count More SetWeight Bake Analyze Count More Done")
		// 11 states and 2 retries.
		if got := workflow.Transitions(h.whole("a")); got != 13 {
			t.Errorf("%d transitions, want 13", got)
		}
	}},
	{"a canary that fails its analysis goes back, and says why", func(t *testing.T, s suite) {
		h := s.engine(t, canary, map[string]workflow.Function{"weight": echo, "analyze": refuse})
		x := h.run("a", `{"i":0,"bake":1}`)
		wantFailed(t, x, "refusedError")
		if want := `{"errorMessage":"p99 above 2 s","errorType":"refusedError"}`; x.Cause != want {
			t.Errorf("cause %s, want %s", x.Cause, want)
		}
		h.wantPath("a", "SetWeight Bake Analyze Rollback RolledBack")
		h.wantTypes("a", "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSucceeded TaskStateExited WaitStateEntered WaitStateExited "+
			"TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskFailed TaskStateExited "+
			"TaskStateEntered TaskScheduled TaskStarted TaskSucceeded TaskStateExited FailStateEntered ExecutionFailed")
	}},
	{"a wait is as long as it says", func(t *testing.T, s suite) {
		h := s.engine(t, justWait, nil)
		if x := h.run("a", `{}`); x.Ended.Sub(x.Started) < 2*time.Second {
			t.Errorf("it waited %s", x.Ended.Sub(x.Started))
		}
		h.wantTypes("a", "ExecutionStarted WaitStateEntered WaitStateExited ExecutionSucceeded")
	}},
	{"a wait until a time ends at it, one that has passed at once", func(t *testing.T, s suite) {
		h := s.engine(t, `{"StartAt":"Past","States":{"Past":{"Type":"Wait","Timestamp":"1999-01-01T00:00:00Z","Next":"W"},"W":{"Type":"Wait","TimestampPath":"$.at","End":true}}}`, nil)
		at := time.Now().Add(3 * time.Second).UTC().Truncate(time.Second)
		if x := h.run("a", `{"at":"`+at.Format(time.RFC3339)+`"}`); x.Ended.Before(at.Add(-time.Second)) { // engines round to the second
			t.Errorf("ended at %s, before %s", x.Ended, at)
		}
	}},
	{"a choice takes the first rule that holds, and fails without one", func(t *testing.T, s suite) {
		h := s.engine(t, `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[
			{"And":[{"Variable":"$.v","IsPresent":true},{"Not":{"Variable":"$.v","IsNull":true}},{"Or":[{"Variable":"$.v","StringMatches":"log-*.txt"},{"Variable":"$.v","NumericGreaterThan":5}]}],"Next":"Y"},
			{"Variable":"$.n","BooleanEquals":true,"Next":"N"}]},"Y":{"Type":"Succeed"},"N":{"Type":"Succeed"}}}`, nil)
		for name, c := range map[string]struct{ input, path string }{
			"text": {`{"v":"log-1.txt"}`, "C Y"}, "number": {`{"v":6}`, "C Y"}, "null": {`{"v":null,"n":true}`, "C N"}, "other": {`{"n":true}`, "C N"},
		} {
			if x := h.run(name, c.input); x.Status != workflow.Succeeded {
				t.Errorf("%s: %s %s: %s", name, x.Status, x.Error, x.Cause)
			}
			h.wantPath(name, c.path)
		}
		wantFailed(t, h.run("none", `{"v":1,"n":false}`), "States.NoChoiceMatched")
	}},
	{"the context object says who runs", func(t *testing.T, s suite) {
		h := s.engine(t, `{"StartAt":"P","States":{"P":{"Type":"Pass","Parameters":{"name.$":"$$.Execution.Name","in.$":"$$.Execution.Input.a[1]","machine.$":"$$.StateMachine.Name",
			"state.$":"$$.State.Name"},"End":true}}}`, nil)
		wantOutput(t, h.run("a", `{"a":[1,2]}`), `{"name":"a","in":2,"machine":"m","state":"P"}`)
	}},
	{"results go where their paths say", func(t *testing.T, s suite) {
		h := s.engine(t, `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,"InputPath":"$.in",
			"Parameters":{"FunctionName":"echo","Payload":{"x.$":"$.x","fixed":[1,{"y.$":"$.x"}],"text.$":"States.Format('{} of {}',$.x,'three')"}},
			"ResultSelector":{"got.$":"$.Payload","code.$":"$.StatusCode"},"ResultPath":"$.out.task","OutputPath":"$.out","End":true}}}`, map[string]workflow.Function{"echo": echo})
		wantOutput(t, h.run("a", `{"in":{"x":2},"out":{"kept":true}}`), `{"kept":true,"task":{"code":200,"got":{"x":2,"fixed":[1,{"y":2}],"text":"2 of three"}}}`)
	}},
	{"a path that is not there fails for good", func(t *testing.T, s suite) {
		h := s.engine(t, `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,"InputPath":"$.missing",
			"Parameters":{"FunctionName":"echo"},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"No"}],"End":true},"No":{"Type":"Succeed"}}}`, map[string]workflow.Function{"echo": echo})
		wantFailed(t, h.run("a", `{}`), "States.Runtime")
		h.wantPath("a", "T")
	}},
}
