package workflowtest

import (
	"strings"
	"testing"

	"slipway/internal/fault"
	"slipway/internal/workflow"
)

const (
	justWait = `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":2,"End":true}}}`
	atOnce   = `{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}`
)

var starts = []testCase{
	{"an execution ends with its output and says when", func(t *testing.T, s suite) {
		h := s.engine(t, atOnce, nil)
		x := h.run("a", `{"n":12345678901234567,"html":"<&>","null":null}`)
		wantOutput(t, x, `{"n":12345678901234567,"html":"<&>","null":null}`)
		if x.Machine != "m" || x.Name != "a" || x.Started.IsZero() || x.Ended.Before(x.Started) {
			t.Errorf("got %+v", x)
		}
		if got := string(x.Output); !strings.Contains(got, "12345678901234567") || !strings.Contains(got, "<&>") {
			t.Errorf("output was written another way: %s", got)
		}
		h.wantTypes("a", "ExecutionStarted PassStateEntered PassStateExited ExecutionSucceeded")
	}},
	{"the same name and input while it runs is the same execution", func(t *testing.T, s suite) {
		h := s.engine(t, justWait, nil)
		h.start("a", `{"a":1}`)
		h.start("a", `{"a":1}`)
		wantKind(t, h.Start(t.Context(), "m", "a", []byte(`{"a":2}`)), fault.Conflict)
		wantOutput(t, h.end("a"), `{"a":1}`)
		h.wantPath("a", "W")
	}},
	{"a name is taken after its execution has ended", func(t *testing.T, s suite) {
		h := s.engine(t, atOnce, nil)
		h.run("a", `{}`)
		wantKind(t, h.Start(t.Context(), "m", "a", []byte(`{}`)), fault.Conflict)
		h.run("b", `{}`)
	}},
	{"what is not there is not found", func(t *testing.T, s suite) {
		h := s.engine(t, atOnce, nil)
		wantKind(t, h.Start(t.Context(), "other", "a", []byte(`{}`)), fault.NotFound)
		_, err := h.Describe(t.Context(), "m", "a")
		wantKind(t, err, fault.NotFound)
		_, err = h.History(t.Context(), "m", "a")
		wantKind(t, err, fault.NotFound)
		wantKind(t, h.Stop(t.Context(), "m", "a", "", ""), fault.NotFound)
	}},
	{"an input that is wrong is refused", func(t *testing.T, s suite) {
		h := s.engine(t, atOnce, nil)
		for name, input := range map[string]string{"no-json": `{"a":`, "large": `"` + strings.Repeat("x", workflow.MaxData) + `"`, "with space": `{}`, "": `{}`, strings.Repeat("x", 81): `{}`} {
			wantKind(t, h.Start(t.Context(), "m", name, []byte(input)), fault.Invalid)
		}
		wantOutput(t, h.run("fits", `"`+strings.Repeat("x", workflow.MaxData-2)+`"`), `"`+strings.Repeat("x", workflow.MaxData-2)+`"`)
	}},
	{"state that grows beyond the limit ends the execution, and no catcher sees it", func(t *testing.T, s suite) {
		h := s.engine(t, `{"StartAt":"Grow","States":{"Grow":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,
			"Parameters":{"FunctionName":"echo","Payload":{"a.$":"$","b.$":"$"}},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"No"}],"End":true},"No":{"Type":"Succeed"}}}`,
			map[string]workflow.Function{"echo": echo})
		wantFailed(t, h.run("a", `"`+strings.Repeat("x", 200_000)+`"`), "States.DataLimitExceeded")
		h.wantPath("a", "Grow")
	}},
	{"fifty executions at once do not disturb each other", func(t *testing.T, s suite) {
		h := s.engine(t, `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":1,"Next":"T"},"T":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","TimeoutSeconds":60,
			"Parameters":{"FunctionName":"echo","Payload.$":"$$.Execution.Name"},"OutputPath":"$.Payload","End":true}}}`, map[string]workflow.Function{"echo": echo})
		names := strings.Fields(strings.Repeat("x ", 50))
		for i := range names {
			names[i] = strings.Repeat("x", i+1)
			h.start(names[i], `{}`)
		}
		for _, name := range names {
			wantOutput(t, h.end(name), `"`+name+`"`)
		}
	}},
}
