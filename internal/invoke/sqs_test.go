package invoke

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

// delays remembers what Delay was asked for.
type delays struct {
	got map[string]time.Duration
	err error
}

func (d *delays) Delay(ctx context.Context, receipt string, wait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.got[receipt] = wait
	return d.err
}

type bench struct {
	SQS[string]
	delays *delays
	lines  *bytes.Buffer
}

func newBench(handler func(ctx context.Context, s string, a Attempt) error) bench {
	b := bench{delays: &delays{got: map[string]time.Duration{}}, lines: &bytes.Buffer{}}
	b.SQS = SQS[string]{Name: "test", Handler: handler, Delayer: b.delays, MaxReceives: 6, Log: slog.New(slog.NewJSONHandler(b.lines, nil))}
	return b
}

func message(id, group string, receives int) events.SQSMessage {
	return events.SQSMessage{MessageId: id, ReceiptHandle: "receipt-" + id, Body: `"` + id + `"`,
		Attributes: map[string]string{"ApproximateReceiveCount": fmt.Sprint(receives), "MessageGroupId": group}}
}

func (b bench) failures(t *testing.T, ctx context.Context, m ...events.SQSMessage) []string { //nolint:revive // the test comes first
	t.Helper()
	out, err := b.Handle(ctx, events.SQSEvent{Records: m})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, f := range out.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}

func TestTheListOfFailuresIsNeverNull(t *testing.T) {
	b := newBench(func(context.Context, string, Attempt) error { return nil })
	for _, e := range []events.SQSEvent{{}, {Records: []events.SQSMessage{message("a", "g", 1)}}} {
		out, err := b.Handle(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		if j, err := json.Marshal(out); err != nil || string(j) != `{"batchItemFailures":[]}` {
			t.Errorf("answer %s, %v", j, err)
		}
	}
}

func TestEachKindOfErrorHasItsOutcome(t *testing.T) {
	cause := errors.New("cause")
	for _, c := range []struct {
		err    error
		fails  bool
		atMost time.Duration
		least  time.Duration
		level  string
	}{
		{nil, false, 0, 0, "INFO"},
		{fault.Wrap(fault.Invalid, cause), false, 0, 0, "WARN"},
		{fault.Wrap(fault.Superseded, cause), false, 0, 0, "INFO"},
		{fault.Wrap(fault.Unfinished, cause), false, 0, 0, "INFO"},
		{fault.Later(fault.Busy, 90*time.Second, cause), true, 90 * time.Second, 90 * time.Second, "WARN"},
		{fault.Later(fault.Conflict, time.Minute, cause), true, time.Minute, time.Minute, "WARN"},
		{fault.Wrap(fault.Unavailable, cause), true, 2500 * time.Millisecond, 2 * time.Second, "WARN"},
		{fault.Wrap(fault.Denied, cause), true, 2500 * time.Millisecond, 2 * time.Second, "WARN"},
		{fault.Wrap(fault.NotFound, cause), true, 2500 * time.Millisecond, 2 * time.Second, "WARN"},
		{cause, true, 2500 * time.Millisecond, 2 * time.Second, "WARN"},
	} {
		t.Run(fmt.Sprint(c.err != nil, fault.Of(c.err)), func(t *testing.T) {
			b := newBench(func(context.Context, string, Attempt) error { return c.err })
			got := b.failures(t, t.Context(), message("a", "g", 2))
			if (len(got) == 1) != c.fails {
				t.Errorf("failures %v, want it to fail: %t", got, c.fails)
			}
			wait, delayed := b.delays.got["receipt-a"]
			if delayed != c.fails || wait < c.least || wait > c.atMost {
				t.Errorf("comes again after %s (%t), want %s to %s", wait, delayed, c.least, c.atMost)
			}
			if n := strings.Count(b.lines.String(), "\n"); n != 1 || !strings.Contains(b.lines.String(), `"level":"`+c.level+`"`) {
				t.Errorf("log, %d lines, want one of level %s:\n%s", n, c.level, b.lines)
			}
		})
	}
}

func TestTheLastAttemptIsSaidAndGoesToTheDeadLettersAtOnce(t *testing.T) {
	var got []Attempt
	b := newBench(func(_ context.Context, _ string, a Attempt) error {
		got = append(got, a)
		return fault.New(fault.Unavailable, "away")
	})
	for _, n := range []int{1, 5, 6, 7} {
		if f := b.failures(t, t.Context(), message(fmt.Sprint(n), "g", n)); len(f) != 1 {
			t.Errorf("receive %d: failures %v", n, f)
		}
	}
	if want := []Attempt{{1, false}, {5, false}, {6, true}, {7, true}}; !slices.Equal(got, want) {
		t.Errorf("attempts %+v, want %+v", got, want)
	}
	if d := b.delays.got["receipt-6"]; d != 0 {
		t.Errorf("the last attempt comes again after %s, want now", d)
	}
	if !strings.Contains(b.lines.String(), `"level":"ERROR"`) {
		t.Errorf("log: %s", b.lines)
	}
}

func TestAFailureStopsItsGroupAndNoOther(t *testing.T) {
	var seen []string
	b := newBench(func(_ context.Context, s string, _ Attempt) error {
		if seen = append(seen, s); s == "a1" {
			return errors.New("broken")
		}
		return nil
	})
	got := b.failures(t, t.Context(), message("a1", "a", 1), message("b1", "b", 1), message("a2", "a", 1), message("b2", "b", 1))
	if !slices.Equal(got, []string{"a1", "a2"}) || !slices.Equal(seen, []string{"a1", "b1", "b2"}) {
		t.Errorf("failures %v of %v, want a1 and a2, a2 untouched", got, seen)
	}
}

func TestAPanicFailsItsMessageOnlyAndIsReported(t *testing.T) { // reference fault 17
	b := newBench(func(_ context.Context, s string, _ Attempt) error {
		if s == "a" {
			var none map[string]int
			none["x"] = 1 //nolint:govet,staticcheck // the panic is the point
		}
		return nil
	})
	if got := b.failures(t, t.Context(), message("a", "a", 1), message("b", "b", 1)); !slices.Equal(got, []string{"a"}) {
		t.Errorf("failures %v", got)
	}
	first, _, _ := strings.Cut(b.lines.String(), "\n")
	for _, want := range []string{"panic: assignment to entry in nil map", `"outcome":"internal"`, "sqs_test.go"} {
		if !strings.Contains(first, want) {
			t.Errorf("log lacks %q: %s", want, first)
		}
	}
}

func TestABodyThatIsNotOursIsKeptForTheDeadLetters(t *testing.T) {
	b := newBench(func(context.Context, string, Attempt) error { t.Error("handled"); return nil })
	m := message("a", "g", 1)
	m.Body = "{\x1b[2J" + strings.Repeat("x", 10_000)
	if got := b.failures(t, t.Context(), m); len(got) != 1 {
		t.Errorf("failures %v", got)
	}
	if strings.Contains(b.lines.String(), `\u001b`) || b.lines.Len() > 2000 {
		t.Errorf("log of %d bytes: %s", b.lines.Len(), b.lines)
	}
}

func TestAMessageHasTheInvocationsTimeLessTheMargin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(func(ctx context.Context, _ string, _ Attempt) error {
			<-ctx.Done()
			return ctx.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		got := b.failures(t, ctx, message("a", "a", 1), message("b", "b", 1))
		if d := time.Since(start); d != 30*time.Second-margin {
			t.Errorf("ended after %s, want %s before the deadline", d, margin)
		}
		if !slices.Equal(got, []string{"a", "b"}) || len(b.delays.got) != 2 {
			t.Errorf("failures %v, delays %v: both are to come again", got, b.delays.got)
		}
	})
}

func TestADelayThatFailsIsToldAndTheMessageStillFails(t *testing.T) {
	b := newBench(func(context.Context, string, Attempt) error { return errors.New("broken") })
	b.delays.err = errors.New("queue is away")
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // and the delay is asked for although the invocation is over
	if got := b.failures(t, ctx, message("a", "g", 1)); len(got) != 1 || len(b.delays.got) != 1 {
		t.Errorf("failures %v, delays %v", got, b.delays.got)
	}
	if !strings.Contains(b.lines.String(), "queue is away") {
		t.Errorf("log: %s", b.lines)
	}
}

// What test/sim found: a move that one application's record had failed nine times came back after 320 s, and a push to the
// others of its branch waited for it.
func TestThePauseDoublesUpToAMinute(t *testing.T) {
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 6: 32 * time.Second, 7: time.Minute, 9: time.Minute, 1 << 30: time.Minute} {
		for range 100 {
			if got := pause(errors.New("x"), n); got < want || got >= want+want/4 {
				t.Fatalf("pause %d is %s, want %s and up to a quarter more", n, got, want)
			}
		}
	}
}

func TestTheEventOfAMoveIsOurMove(t *testing.T) {
	var got revision.Move
	s := SQS[revision.Move]{Name: "fetch", Delayer: &delays{}, MaxReceives: 6, Log: slog.New(slog.DiscardHandler),
		Handler: func(_ context.Context, m revision.Move, _ Attempt) error { got = m; return nil }}
	if out, err := s.Handle(t.Context(), load[events.SQSEvent](t, "sqs/move.json")); err != nil || len(out.BatchItemFailures) > 0 {
		t.Fatal(out, err)
	}
	if want := (revision.Move{Repository: "github.com/myorg/k8s-config", Ref: "main", Default: true, Hint: "0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c",
		Delivery: "72d3162e-cc78-11e3-81ab-4c9367dc0958", Received: 1795508133000}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
