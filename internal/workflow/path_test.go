package workflow_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "slipway/internal/workflow"
)

// events makes a history of types, with the state after a colon.
func events(text string) []Event {
	var out []Event
	for i, word := range strings.Fields(text) {
		typ, state, _ := strings.Cut(word, ":")
		out = append(out, Event{ID: i + 1, Type: typ, State: state})
	}
	return out
}

func TestThePathAndItsPriceAreCountedFromTheHistory(t *testing.T) {
	for name, c := range map[string]struct {
		history, path string
		transitions   int
	}{
		"nothing":    {"", "", 0},
		"started":    {"ExecutionStarted", "", 0},
		"a wait":     {"ExecutionStarted WaitStateEntered:W WaitStateExited:W ExecutionSucceeded", "W", 1},
		"a task":     {"ExecutionStarted TaskStateEntered:T TaskScheduled TaskStarted TaskSucceeded TaskStateExited:T ExecutionSucceeded", "T", 1},
		"retries":    {"ExecutionStarted TaskStateEntered:T TaskScheduled TaskFailed TaskScheduled TaskTimedOut TaskScheduled TaskSucceeded TaskStateExited:T ExecutionSucceeded", "T", 3},
		"a loop":     {"ExecutionStarted PassStateEntered:A PassStateExited:A ChoiceStateEntered:B ChoiceStateExited:B PassStateEntered:A", "A B A", 3},
		"two tasks":  {"TaskStateEntered:T TaskScheduled TaskSucceeded TaskStateExited:T TaskStateEntered:U TaskScheduled TaskSucceeded TaskStateExited:U", "T U", 2},
		"a fail":     {"ExecutionStarted FailStateEntered:F ExecutionFailed", "F", 1},
		"a long one": {"WaitStateEntered:W WaitStateExited:W SucceedStateEntered:S SucceedStateExited:S", "W S", 2},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.Fields(c.path), append([]string{}, Path(events(c.history))...)); diff != "" {
				t.Error(diff)
			}
			if got := Transitions(events(c.history)); got != c.transitions {
				t.Errorf("%d transitions, want %d", got, c.transitions)
			}
		})
	}
}
