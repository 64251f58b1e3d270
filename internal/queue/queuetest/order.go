package queuetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"slipway/internal/fault"
	"slipway/internal/queue"
)

func inOrder(t *testing.T, s suite) {
	q := s.queue(t)
	for i := range 5 {
		q.send("g", "", fmt.Sprint(i))
	}
	for i := range 5 {
		m := q.next(fmt.Sprint(i))
		if m.Receives != 1 || m.Group != queue.GroupID("g") || m.ID == "" || m.Receipt == "" {
			t.Errorf("message %d is %+v, want first receive, the group's id, an id and a receipt", i, m)
		}
		q.delete(m)
	}
	q.nothing()
}

func oneInFlight(t *testing.T, s suite) {
	q := s.queue(t)
	q.send("g", "", "a")
	q.send("g", "", "b")
	a := q.next("a")
	q.nothing()
	q.delete(a)
	q.delete(q.next("b"))
}

func apart(t *testing.T, s suite) {
	q := s.queue(t)
	q.send("one", "", "a")
	q.send("one", "", "b")
	a := q.next("a")
	q.send("two", "", "c")
	q.delete(q.next("c"))
	q.delete(a)
	q.delete(q.next("b"))
}

func batches(t *testing.T, s suite) {
	q := s.queue(t)
	want := map[string][]string{}
	for i := range 12 {
		g := fmt.Sprint("g", i%3)
		q.send(g, "", fmt.Sprint(i))
		want[queue.GroupID(g)] = append(want[queue.GroupID(g)], fmt.Sprint(i))
	}
	got := map[string][]string{}
	for n := 0; n < 12; {
		ctx, cancel := context.WithTimeout(t.Context(), q.long)
		batch, err := q.Receive(ctx, 4)
		cancel()
		if err != nil || len(batch) > 4 {
			t.Fatalf("received %d messages, %v, want 1 to 4", len(batch), err)
		}
		for _, m := range batch {
			got[m.Group] = append(got[m.Group], m.Body)
			q.delete(m)
			n++
		}
	}
	for g, bodies := range want {
		if !slices.Equal(got[g], bodies) {
			t.Errorf("group %s gave %v, want %v", g, got[g], bodies)
		}
	}
}

func waits(t *testing.T, s suite) {
	q := s.queue(t)
	asking := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ctx, cancel := context.WithTimeout(t.Context(), q.long)
		defer cancel()
		close(asking)
		got, err := q.Receive(ctx, 1)
		if err != nil || len(got) != 1 || got[0].Body != "late" {
			t.Errorf("received %+v, %v, want the message that was sent later", got, err)
		}
	})
	<-asking
	q.send("g", "", "late")
	wg.Wait()
}

func ends(t *testing.T, s suite) {
	q := s.queue(t)
	q.nothing()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	q.send("g", "", "a")
	if got, err := q.Receive(ctx, 1); len(got) > 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("received %+v, %v with a cancelled context, want its error", got, err)
	}
	q.delete(q.next("a"))
}

func anyText(t *testing.T, s suite) {
	q := s.queue(t)
	group := "github.com/o/n#feature/ünïcode-" + strings.Repeat("long/", 100)
	body := `{"text":"<&> ünïcode "}` + "\n\t\"quoted\" & <xml/>"
	q.send(group, strings.Repeat("ü ", 200), body)
	q.send(group, strings.Repeat("ü ", 200), "duplicate")
	m := q.next(body)
	if m.Group != queue.GroupID(group) {
		t.Errorf("group is %q, want the hash", m.Group)
	}
	q.delete(m)
	q.nothing()
}

func tooLong(t *testing.T, s suite) {
	q := s.queue(t)
	err := q.Send(t.Context(), "g", "", strings.Repeat("a", queue.MaxBody+1))
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("send of a body over the limit: %v, want Invalid", err)
	}
	q.nothing()
}
