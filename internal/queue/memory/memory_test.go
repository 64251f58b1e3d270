package memory

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/fault"
	"slipway/internal/queue"
	"slipway/internal/queue/queuetest"
)

func TestMemoryKeepsTheContract(t *testing.T) {
	queuetest.Run(t, queuetest.Options{
		New: func(_ *testing.T, c queuetest.Config) queue.Queue {
			return New(Options{Visibility: c.Visibility, MaxReceives: c.MaxReceives})
		},
		Dead: func(t *testing.T, q queue.Queue) []queue.Message {
			m, ok := q.(*Queue)
			if !ok {
				t.Fatalf("queue is a %T", q)
			}
			return m.DeadLetters()
		},
		Case:       synctest.Test,
		Visibility: time.Second,
		Window:     func() { time.Sleep(queue.DedupWindow) },
	})
}

func TestTheWindowEndsToTheSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Options{})
		send(t, q, "g", "id", "a")
		time.Sleep(queue.DedupWindow - time.Nanosecond)
		send(t, q, "g", "id", "a")
		if q.Len() != 1 {
			t.Errorf("%d messages within the window, want 1", q.Len())
		}
		time.Sleep(time.Nanosecond)
		send(t, q, "g", "id", "a")
		if q.Len() != 2 {
			t.Errorf("%d messages after the window, want 2", q.Len())
		}
	})
}

func TestAFullQueueRefusesAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Options{Capacity: 2})
		send(t, q, "g", "1", "a")
		send(t, q, "g", "2", "b")
		if err := q.Send(t.Context(), "g", "3", "c"); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("send to a full queue: %v, want Unavailable", err)
		}
		got, err := q.Receive(t.Context(), 1)
		if err != nil || len(got) != 1 {
			t.Fatalf("receive: %v, %v", got, err)
		}
		if err := q.Delete(t.Context(), got[0].Receipt); err != nil {
			t.Fatal(err)
		}
		send(t, q, "g", "3", "c") // its id was not burnt by the refusal
		if q.Len() != 2 {
			t.Errorf("%d messages, want 2", q.Len())
		}
	})
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told int
		q := New(Options{Capacity: 10, MaxReceives: 1, Dead: func(queue.Message) { told++ }})
		const n = deadCap + 50
		for i := range n {
			send(t, q, "g", fmt.Sprint(i), fmt.Sprint(i))
			got, err := q.Receive(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := q.Delay(t.Context(), got[0].Receipt, 0); err != nil {
				t.Fatal(err)
			}
		}
		dead := q.DeadLetters()
		if len(dead) != deadCap || dead[0].Body != "50" || told != n {
			t.Errorf("%d dead letters from %q on, told of %d; want the last %d of %d, told of each", len(dead), dead[0].Body, told, deadCap, n)
		}
		if len(q.seen) > seenFactor*10 || len(q.groups) != 0 || len(q.inFlight) != 0 || len(q.ready) != 0 {
			t.Errorf("left: %d ids, %d groups, %d in flight, %d ready", len(q.seen), len(q.groups), len(q.inFlight), len(q.ready))
		}
	})
}

func TestADelayThatRacesTheTimeoutWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Options{Visibility: time.Second})
		send(t, q, "g", "", "a")
		got, err := q.Receive(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		q.mu.Lock() // the timer fires and waits for the lock, as it does behind a Delay that came first
		m := q.inFlight[got[0].Receipt]
		time.Sleep(time.Second)
		m.timer.Stop()
		q.expire(m, time.Minute)
		q.mu.Unlock()
		start := time.Now()
		if _, err := q.Receive(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != time.Minute {
			t.Errorf("came again after %s, want the delay", d)
		}
	})
}

func TestASendWakesTheReceiverThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := New(Options{})
		got := make(chan []queue.Message)
		go func() {
			m, err := q.Receive(t.Context(), 1)
			if err != nil {
				t.Error(err)
			}
			got <- m
		}()
		synctest.Wait()
		send(t, q, "g", "", "a")
		if m := <-got; len(m) != 1 || m[0].Body != "a" {
			t.Errorf("received %+v", m)
		}
	})
}

func send(t *testing.T, q *Queue, group, dedup, body string) {
	t.Helper()
	if err := q.Send(t.Context(), group, dedup, body); err != nil {
		t.Fatalf("send %q: %v", body, err)
	}
}
