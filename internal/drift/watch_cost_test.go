package drift

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/record"
	"slipway/internal/state"
	"slipway/test/server"
)

// Most of what a watch tells of is the status of something: it costs no read of the state.
func TestAnObjectThatIsAsItShouldBeIsNotLookedAtAgain(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		s.Edit(cm("a"), "controller", set("seen", "0")) // a field of its own
		run := w.watch(time.Minute)
		time.Sleep(10 * time.Second)
		s.Edit(cm("a"), "controller", set("seen", "1"))
		time.Sleep(time.Second)
		reads := counting{Records: w.stores.Records}
		w.stores.Records = &reads
		run.end(t)
		run = w.watch(time.Minute)
		time.Sleep(10 * time.Second)
		reads.of.Store(0)
		for i := range 100 {
			s.Edit(cm("a"), "controller", set("seen", fmt.Sprint("again ", i)))
			time.Sleep(10 * time.Millisecond)
		}
		if n := reads.of.Load(); n > 1+2 { // the lease, each second
			t.Errorf("records were read %d times", n)
		}
		if rep := run.end(t); rep.Events < 100 {
			t.Errorf("%d events", rep.Events)
		}
	})
}

type counting struct {
	state.Records
	of, updates atomic.Int32
}

func (c *counting) Update(ctx context.Context, name app.Name, change func(*record.Record) error) (record.Record, error) {
	if name == leaseName(here) {
		c.updates.Add(1)
	}
	return c.Records.Update(ctx, name, change)
}

func (c *counting) Get(ctx context.Context, name app.Name) (record.Record, error) {
	c.of.Add(1)
	return c.Records.Get(ctx, name)
}

// A fight that has stopped, or an object that nobody may heal, must not cost a judgement with every change of a value.
func TestAnObjectThatIsLeftAsItIsIsJudgedNowAndThen(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		w.declare(func(a *app.Application) { a.Sync.SelfHeal = false })
		run := w.watch(2 * time.Minute)
		time.Sleep(10 * time.Second)
		before := s.Count("try")
		for i := range 60 {
			s.Edit(cm("a"), "loop", set("k", fmt.Sprint("loop ", i)))
			time.Sleep(time.Second)
		}
		if n := s.Count("try") - before; n < 5 || n > 8 {
			t.Errorf("it was judged %d times in a minute", n)
		}
		w.selfHeal()
		time.Sleep(againSame)
		if k := data(s, "a", "k"); k != "git" {
			t.Errorf("once it may be healed it is %q", k)
		}
		run.end(t)
	})
}

func TestASuccessorThatWaitsReadsAndWritesOnce(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, _ *server.Server) {
		first := w.watch(WatchLimit)
		time.Sleep(10 * time.Second)
		writes := &counting{Records: w.stores.Records}
		w.stores.Records = writes
		second := w.watch(WatchLimit)
		time.Sleep(5 * time.Second)
		if n := writes.updates.Load(); n != 2 { // asks, and takes
			t.Errorf("it wrote %d times", n)
		}
		<-first.done
		second.end(t)
	})
}
