package invoke

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"slipway/internal/fault"
	"slipway/internal/queue"
)

// Poller is Lambda's event source mapping where there is none: it hands messages, one an invocation, to a handler such
// as SQS.Handle and deletes those that did not fail.
type Poller struct {
	Queue   queue.Receiver
	Handle  func(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error)
	Workers int           // invocations at once; groups go one after the other anyway
	Timeout time.Duration // of one invocation; shorter than the queue's visibility timeout
	Log     *slog.Logger
}

// Run works until ctx ends, then waits for the messages in hand.
func (p Poller) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for range max(p.Workers, 1) {
		wg.Go(func() {
			for {
				messages, err := p.Queue.Receive(ctx, 1)
				switch {
				case ctx.Err() != nil:
					return
				case err != nil:
					p.Log.LogAttrs(ctx, slog.LevelError, "receive", slog.String("error", cut(err.Error())))
					pauseOr(ctx, firstPause)
				}
				for _, m := range messages {
					p.one(ctx, m)
				}
			}
		})
	}
	wg.Wait()
}

func (p Poller) one(ctx context.Context, m queue.Message) {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	out, err := p.Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: m.ID, ReceiptHandle: m.Receipt, Body: m.Body, EventSource: "aws:sqs",
		Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(m.Receives), "MessageGroupId": m.Group},
	}}})
	if err == nil && len(out.BatchItemFailures) == 0 {
		err = p.Queue.Delete(context.WithoutCancel(ctx), m.Receipt)
	}
	if err != nil {
		level := slog.LevelError
		if fault.Is(err, fault.Conflict) { // the visibility timeout was over first: it comes again, and finds the work done
			level = slog.LevelWarn
		}
		p.Log.LogAttrs(ctx, level, "message", slog.String("id", m.ID), slog.String("error", cut(err.Error())))
	}
}

func pauseOr(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
