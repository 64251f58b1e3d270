package queuetest

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/queue"
)

func redelivery(t *testing.T, s suite) {
	q := s.with(t, Config{Visibility: s.Visibility, MaxReceives: 5})
	q.send("g", "", "a")
	q.send("g", "", "b")
	first := q.next("a")
	start := time.Now()
	again := q.next("a")
	if d := time.Since(start); d < s.Visibility*8/10 {
		t.Errorf("came again after %s, want the visibility timeout %s", d, s.Visibility)
	}
	if again.ID != first.ID || again.Receives != 2 || again.Receipt == first.Receipt {
		t.Errorf("redelivery %+v of %+v: want the same id, receive 2 and another receipt", again, first)
	}
	q.delete(again)
	q.delete(q.next("b"))
}

func deleted(t *testing.T, s suite) {
	q := s.with(t, Config{Visibility: s.Visibility, MaxReceives: 5})
	q.send("g", "", "a")
	q.delete(q.next("a"))
	ctx, cancel := context.WithTimeout(t.Context(), 2*s.Visibility)
	defer cancel()
	if got, _ := q.Receive(ctx, 1); len(got) > 0 {
		t.Errorf("received %+v after its delete", got)
	}
}

func back(t *testing.T, s suite) {
	q := s.queue(t)
	q.send("g", "", "a")
	q.send("g", "", "b")
	q.delay(q.next("a"), 0)
	a := q.next("a")
	if a.Receives != 2 {
		t.Errorf("receives is %d, want 2", a.Receives)
	}
	q.delete(a)
	q.delete(q.next("b"))
}

func delayed(t *testing.T, s suite) {
	q := s.with(t, Config{Visibility: s.Visibility, MaxReceives: 5})
	q.send("g", "", "a")
	start := time.Now()
	q.delay(q.next("a"), 3*s.Visibility)
	a := q.next("a")
	if d := time.Since(start); d < s.Visibility*25/10 {
		t.Errorf("came again after %s, want %s", d, 3*s.Visibility)
	}
	q.delete(a)

	q = s.queue(t) // a shorter delay than the timeout of 30
	q.send("g", "", "a")
	start = time.Now()
	q.delay(q.next("a"), s.Visibility)
	q.delete(q.next("a"))
	if d := time.Since(start); d > 20*s.Visibility {
		t.Errorf("came again after %s, want %s", d, s.Visibility)
	}
}

func stale(t *testing.T, s suite) {
	q := s.with(t, Config{Visibility: s.Visibility, MaxReceives: 5})
	q.send("g", "", "a")
	old := q.next("a")
	q.next("a")
	if err := q.Delete(t.Context(), old.Receipt); !fault.Is(err, fault.Conflict) {
		t.Errorf("delete with the old receipt: %v, want Conflict", err)
	}
	if err := q.Delay(t.Context(), old.Receipt, 0); !fault.Is(err, fault.Conflict) {
		t.Errorf("delay with the old receipt: %v, want Conflict", err)
	}
	q.delete(q.next("a"))
}

func deadLetters(t *testing.T, s suite) {
	q := s.queue(t)
	q.send("g", "", "poison")
	q.send("g", "", "next")
	for i := range 3 {
		m := q.next("poison")
		if m.Receives != i+1 {
			t.Errorf("receives is %d, want %d", m.Receives, i+1)
		}
		q.delay(m, 0)
	}
	q.delete(q.next("next"))
	dead := s.Dead(t, q.Queue)
	if len(dead) != 1 || dead[0].Body != "poison" {
		t.Errorf("dead letters are %+v, want the poison message", dead)
	}
	q.nothing()
}

func duplicates(t *testing.T, s suite) {
	q := s.queue(t)
	q.send("g", "delivery-1", "a")
	q.send("g", "delivery-1", "a again")
	q.delete(q.next("a"))
	q.send("g", "delivery-1", "a after its delete")
	q.send("other", "delivery-1", "a in another group")
	q.send("g", "delivery-2", "b")
	q.delete(q.next("b"))
	q.nothing()
}

func afterWindow(t *testing.T, s suite) {
	q := s.queue(t)
	q.send("g", "delivery-1", "a")
	q.delete(q.next("a"))
	s.Window()
	q.send("g", "delivery-1", "a redelivered by hand")
	q.delete(q.next("a redelivered by hand"))
}

func distinct(t *testing.T, s suite) {
	q := s.queue(t)
	q.send("g", "", "same")
	q.send("g", "", "same")
	q.delete(q.next("same"))
	q.delete(q.next("same"))
	q.nothing()
}

func badDelay(t *testing.T, s suite) {
	q := s.queue(t)
	q.send("g", "", "a")
	m := q.next("a")
	for _, d := range []time.Duration{-time.Second, queue.MaxDelay + time.Second} {
		if err := q.Delay(t.Context(), m.Receipt, d); !fault.Is(err, fault.Invalid) {
			t.Errorf("delay by %s: %v, want Invalid", d, err)
		}
	}
	q.delete(m)
}

// workers checks from outside that no group is ever held twice and that each group's messages come in order.
func workers(t *testing.T, s suite) {
	const groups, each, hands = 8, 10, 8
	q := s.queue(t)
	for i := range groups * each {
		g := strconv.Itoa(i % groups)
		q.send(g, "", g+" "+strconv.Itoa(i/groups))
	}
	var mu sync.Mutex
	held, next, left := map[string]bool{}, map[string]int{}, groups*each
	ctx, cancel := context.WithTimeout(t.Context(), 12*q.long)
	defer cancel()
	var wg sync.WaitGroup
	for range hands {
		wg.Go(func() {
			for {
				got, err := q.Receive(ctx, 1)
				if err != nil {
					return // the last message's worker has cancelled, or time is up and left says so
				}
				for _, m := range got {
					mu.Lock()
					g, n, _ := strings.Cut(m.Body, " ")
					if held[g] || n != fmt.Sprint(next[g]) {
						t.Errorf("group %s gave %s, want %d, held already: %t", g, n, next[g], held[g])
					}
					held[g] = true
					mu.Unlock()
					runtime.Gosched() // where another would take a second one of the group
					mu.Lock()
					held[g] = false
					next[g]++
					mu.Unlock()
					if err := q.Delete(ctx, m.Receipt); err != nil {
						t.Errorf("delete %q: %v", m.Body, err)
					}
					mu.Lock()
					if left--; left == 0 {
						cancel()
					}
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if left != 0 {
		t.Errorf("%d messages were never handed out", left)
	}
}

var _ queue.Queue = handle{}
