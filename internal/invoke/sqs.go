package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"slipway/internal/fault"
)

// Attempt says which delivery of a message this is.
type Attempt struct {
	Receives int  // this one counted
	Last     bool // if this one fails the message goes to the dead letters
}

// Delayer makes a message come again after d; queue.Receiver is one.
type Delayer interface {
	Delay(ctx context.Context, receipt string, d time.Duration) error
}

// SQS hands the messages of a FIFO queue to a use case, one after the other. T is what a body holds as JSON.
type SQS[T any] struct {
	Name        string // of the use case, in the log
	Handler     func(ctx context.Context, message T, a Attempt) error
	Delayer     Delayer
	MaxReceives int // the queue's maxReceiveCount
	Log         *slog.Logger
}

// margin is what is left of the invocation after the last message's deadline, to set visibilities and to answer.
const margin = 2 * time.Second

// Handle never returns an error: that would bring the whole batch back. The failures are a list that is never null
// (ministack's poller crashes on null, which a nil slice becomes). A group's later messages fail with its first one,
// untouched, or they would overtake it.
func (s SQS[T]) Handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	failed := map[string]bool{}
	for _, m := range e.Records {
		group := m.Attributes["MessageGroupId"]
		if failed[group] || !s.handle(ctx, m) {
			failed[group] = true
			out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	return out, nil
}

// handle reports whether the message is done with.
func (s SQS[T]) handle(ctx context.Context, m events.SQSMessage) bool {
	start := time.Now()
	receives, err := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	if err != nil || receives < 1 {
		receives = 1
	}
	a := Attempt{Receives: receives, Last: s.MaxReceives > 0 && receives >= s.MaxReceives}
	err = s.call(ctx, m, a)
	attrs := []slog.Attr{
		slog.String("use", s.Name), slog.String("id", m.MessageId), slog.String("message", cut(m.Body)), slog.Int("receives", receives),
		slog.Int64("ms", time.Since(start).Milliseconds()),
	}
	if err == nil {
		s.Log.LogAttrs(ctx, slog.LevelInfo, "message", append(attrs, slog.String("outcome", "done"))...)
		return true
	}
	kind := fault.Of(err)
	attrs = append(attrs, slog.String("outcome", kind.String()), slog.String("error", cut(err.Error())))
	if p, ok := errors.AsType[*panicked](err); ok {
		attrs = append(attrs, slog.String("stack", p.stack))
	}
	switch kind {
	case fault.Superseded, fault.Unfinished: // taken over, or it has queued its own wake-up
		s.Log.LogAttrs(ctx, slog.LevelInfo, "message", attrs...)
		return true
	case fault.Invalid: // it stays wrong; the use case has recorded the reason
		s.Log.LogAttrs(ctx, slog.LevelWarn, "message", attrs...)
		return true
	case fault.Internal, fault.NotFound, fault.Conflict, fault.Busy, fault.Denied, fault.Unavailable:
	}
	wait := time.Duration(0) // at last it goes to the dead letters at once, and its group goes on
	level := slog.LevelError
	if !a.Last {
		wait, level = pause(err, receives), slog.LevelWarn
		attrs = append(attrs, slog.String("again", wait.Round(time.Millisecond).String()))
	} else {
		attrs = append(attrs, slog.Bool("last", true))
	}
	if err := s.delay(ctx, m.ReceiptHandle, wait); err != nil { // it comes again after the queue's own timeout
		attrs = append(attrs, slog.String("delay", cut(err.Error())))
	}
	s.Log.LogAttrs(ctx, level, "message", attrs...)
	return false
}

func (s SQS[T]) call(ctx context.Context, m events.SQSMessage, a Attempt) (err error) {
	if end, ok := ctx.Deadline(); ok {
		if time.Until(end) <= margin {
			return fault.New(fault.Unavailable, "handle message: the invocation's time is over")
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, end.Add(-margin))
		defer cancel()
	}
	var message T
	if err := json.Unmarshal([]byte(m.Body), &message); err != nil { // our own bodies: a bug, kept in the dead letters
		return fmt.Errorf("decode message: %w", err)
	}
	defer func() {
		if r := recover(); r != nil {
			err = &panicked{fmt.Sprint(r), string(debug.Stack())}
		}
	}()
	return s.Handler(ctx, message, a)
}

// delay outlives a context that has just ended, because that may be why the message failed.
func (s SQS[T]) delay(ctx context.Context, receipt string, d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), margin)
	defer cancel()
	return s.Delayer.Delay(ctx, receipt, d)
}
