package rolloutevent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/rollout"
	"slipway/internal/rollout/drive"
)

// driver notes what it is asked for, and answers err.
type driver struct {
	asked []any
	err   error
}

func (d *driver) Task(_ context.Context, c drive.Call) (drive.State, error) {
	d.asked = append(d.asked, c)
	return drive.State{Rollout: c.State.Rollout, Task: rollout.Verify, After: 3}, d.err
}

func (d *driver) Control(_ context.Context, c drive.Control) error {
	d.asked = append(d.asked, c)
	return d.err
}

func (d *driver) Janitor(_ context.Context, k drive.Key, fence uint64) error {
	d.asked = append(d.asked, k, fence)
	return d.err
}

func handle(ctx context.Context, d *driver, event []byte) (any, string, error) {
	var log bytes.Buffer
	out, err := Handler{Rollouts: d, Log: slog.New(slog.NewJSONHandler(&log, nil))}.Handle(ctx, event)
	return out, log.String(), err
}

func TestATaskIsAnsweredWithTheNextState(t *testing.T) {
	d := &driver{}
	out, log, err := handle(t.Context(), d, example(t, "task.json"))
	if err != nil || len(d.asked) != 1 {
		t.Fatal(err, d.asked)
	}
	b, err := json.Marshal(out)
	if err != nil || !strings.Contains(string(b), `"task":"Verify","after":3`) {
		t.Errorf("%s, %v", b, err)
	}
	for _, want := range []string{`"level":"INFO"`, `"rollout":"in-cluster/production/order-service"`, `"task":"Ready"`, `"next":"Verify"`, `"after":3`} {
		if !strings.Contains(log, want) {
			t.Errorf("%s is not in %s", want, log)
		}
	}
}

func TestAnErrorKeepsTheTypeThatTheMachineKnowsItBy(t *testing.T) {
	for _, c := range []struct {
		err   error
		level string
	}{
		{&drive.Superseded{Reason: "a"}, "INFO"},
		{&drive.Aborted{Reason: "a"}, "INFO"},
		{&drive.Again{Cause: errors.New("a")}, "WARN"},
		{&drive.Refused{Cause: errors.New("a\nb")}, "ERROR"},
	} {
		_, log, err := handle(t.Context(), &driver{err: c.err}, example(t, "task.json"))
		if err != c.err { //nolint:errorlint // the very value
			t.Errorf("%T became %T", c.err, err)
		}
		if !strings.Contains(log, `"level":"`+c.level+`"`) || strings.Count(log, "\n") != 1 {
			t.Errorf("%T: %s", c.err, log)
		}
	}
}

func TestAControlAndAnEndReachTheirRollout(t *testing.T) {
	d := &driver{}
	if out, _, err := handle(t.Context(), d, example(t, "control.json")); err != nil || out != "accepted" {
		t.Errorf("%v, %v", out, err)
	}
	if _, log, err := handle(t.Context(), d, example(t, "ended.json")); err != nil || !strings.Contains(log, `"status":"ABORTED"`) {
		t.Errorf("%s, %v", log, err)
	}
	want := []any{drive.Control{Rollout: order.String(), Action: "abort"}, order, uint64(fence)}
	if len(d.asked) != 3 || d.asked[0] != want[0] || d.asked[1] != want[1] || d.asked[2] != want[2] {
		t.Errorf("%v", d.asked)
	}
}

func TestAnEventThatCannotBeReadIsRefusedAndLogged(t *testing.T) {
	d := &driver{}
	_, log, err := handle(t.Context(), d, []byte(`{"task":1}`))
	var refused *drive.Refused
	if !errors.As(err, &refused) || len(d.asked) > 0 || !strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("%v, %s", err, log)
	}
}

func TestAnInvocationWithoutTimeIsTriedAgain(t *testing.T) {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	d := &driver{}
	_, _, err := handle(ctx, d, example(t, "task.json"))
	var again *drive.Again
	if !errors.As(err, &again) || !fault.Is(err, fault.Unavailable) || len(d.asked) > 0 {
		t.Error(err)
	}
}
