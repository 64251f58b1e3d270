package drive

import (
	"fmt"
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/rollout"
)

// Whatever was tried in vain before, the attempt that counts has the highest number (rule 3).
func TestNumbersGrowThroughRetriesTimeoutsAndCatchers(t *testing.T) {
	s := State{Number: 500}
	lastWait := Call{Task: rollout.Pause, State: s, Token: "t", Retry: 98}.number()
	lastTask := Call{Task: rollout.Verify, State: s, Retry: 98}.number()
	for name, grows := range map[string][2]uint64{
		"a retry":                   {Call{Task: rollout.Verify, State: s}.number(), Call{Task: rollout.Verify, State: s, Retry: 1}.number()},
		"a look after a wait":       {lastWait, Call{Task: Look, State: s}.number()},
		"a measurement after one":   {lastWait, Call{Task: Measure, State: s}.number()},
		"a rollback after a catch":  {lastTask, Call{Task: rollout.Rollback, State: s}.number()},
		"a rollback after a wait":   {lastWait, Call{Task: rollout.Rollback, State: s}.number()},
		"a wait after what is done": {s.Number, Call{Task: rollout.Pause, State: s, Token: "t"}.number()},
	} {
		if grows[0] >= grows[1] {
			t.Errorf("%s: %d, then %d", name, grows[0], grows[1])
		}
	}
}

func TestErrorsHaveTheNamesThatTheMachineCatches(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"superseded":  {ofRecord(fault.New(fault.Superseded, "x")), "*drive.Superseded"},
		"aborted":     {ofRecord(record.ErrAborted), "*drive.Aborted"},
		"invalid":     {fault.New(fault.Invalid, "x"), "*drive.Refused"},
		"a conflict":  {fault.New(fault.Conflict, "x"), "*drive.Again"},
		"outrun":      {ofRecord(fault.New(fault.Conflict, "x")), "*drive.Again"},
		"unreachable": {fault.New(fault.Unavailable, "x"), "*drive.Again"},
	} {
		if got := typeOf(named(c.err)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if named(nil) != nil {
		t.Error("nil is an error")
	}
}

func TestAStateSaysWhyItRollsBack(t *testing.T) {
	caught := &struct{ Error, Cause string }{"Again", `{"errorMessage":"no answer","errorType":"Again"}`}
	timeout := &struct{ Error, Cause string }{"States.Timeout", ""}
	for want, s := range map[string]State{
		"analysis failed":  {Why: "analysis failed", Error: caught},
		"Again: no answer": {Error: caught},
		"States.Timeout: ": {Error: timeout},
		"":                 {},
	} {
		if got := s.cause(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAPauseWithoutAnEndIsLookedAtAgainAfterAWeek(t *testing.T) {
	s := State{Task: rollout.Verify, Tries: 3}.then(rollout.Next{Task: rollout.Pause})
	if s.After != 7*24*3600 || s.Tries != 0 {
		t.Errorf("%+v", s)
	}
	s = s.then(rollout.Next{Task: rollout.Pause, After: 1500 * time.Millisecond})
	if s.After != 2 || s.Tries != 1 {
		t.Errorf("%+v", s)
	}
}

func typeOf(err error) string { return fmt.Sprintf("%T", err) }
