package invoke

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"slipway/internal/fault"
	"slipway/internal/queue/memory"
)

func TestThePollerWorksOffAQueueAsLambdaDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := memory.New(memory.Options{Visibility: 170 * time.Second, MaxReceives: 3})
		var mu sync.Mutex
		got := map[string]int{}
		s := SQS[string]{Name: "test", Delayer: q, MaxReceives: 3, Log: slog.New(slog.DiscardHandler),
			Handler: func(_ context.Context, s string, _ Attempt) error {
				mu.Lock()
				defer mu.Unlock()
				got[s]++
				switch {
				case s == "poison", s == "flaky" && got[s] < 3:
					return fault.New(fault.Unavailable, "away")
				case s == "panics" && got[s] == 1:
					panic("once")
				}
				return nil
			}}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			Poller{Queue: q, Handle: s.Handle, Workers: 4, Timeout: 120 * time.Second, Log: s.Log}.Run(ctx)
		})
		for i, body := range []string{"poison", "after the poison", "flaky", "panics"} {
			if err := q.Send(ctx, fmt.Sprint(i/2), "", `"`+body+`"`); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		mu.Lock()
		for body, n := range map[string]int{"poison": 3, "after the poison": 1, "flaky": 3, "panics": 2} {
			if got[body] != n {
				t.Errorf("%s was handled %d times, want %d", body, got[body], n)
			}
		}
		mu.Unlock()
		if dead := q.DeadLetters(); len(dead) != 1 || dead[0].Body != `"poison"` || q.Len() != 0 {
			t.Errorf("dead letters %+v, %d left", dead, q.Len())
		}
		cancel()
		wg.Wait()
	})
}

func TestThePollerFinishesWhatItHasInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := memory.New(memory.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := false
		handle := func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			cancel()
			time.Sleep(5 * time.Second) // a handler that does not look at its context
			done = true
			return events.SQSEventResponse{}, nil
		}
		if err := q.Send(ctx, "g", "", "a"); err != nil {
			t.Fatal(err)
		}
		Poller{Queue: q, Handle: handle, Timeout: 20 * time.Second, Log: slog.New(slog.DiscardHandler)}.Run(ctx)
		if !done || q.Len() != 0 {
			t.Errorf("done %t, %d messages left", done, q.Len())
		}
	})
}

func TestAnInvocationThatFailsLeavesItsMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := memory.New(memory.Options{Visibility: 170 * time.Second})
		n := 0
		ctx, cancel := context.WithCancel(t.Context())
		handle := func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
			if n++; n == 2 {
				cancel()
				return events.SQSEventResponse{}, nil
			}
			return events.SQSEventResponse{}, errors.New("no")
		}
		if err := q.Send(ctx, "g", "", "a"); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		Poller{Queue: q, Handle: handle, Timeout: 120 * time.Second, Log: slog.New(slog.DiscardHandler)}.Run(ctx)
		if d := time.Since(start); d != 170*time.Second || q.Len() != 0 {
			t.Errorf("came again after %s, %d left", d, q.Len())
		}
	})
}
