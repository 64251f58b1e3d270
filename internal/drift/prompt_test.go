package drift

import (
	"context"
	"errors"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/state"
	"slipway/test/server"
)

// A cluster that fails for one object is not away: the rest is done, and that one soon after, not at the next sweep.
func TestAnEditIsHealedThoughOneRequestFails(t *testing.T) {
	for _, op := range []string{"get", "try", "apply"} {
		t.Run(op, func(t *testing.T) {
			timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
				run := w.watch(time.Minute)
				time.Sleep(20 * time.Second)
				failed := false
				s.Around(func(got string, call func() error) error {
					if got == op && !failed {
						failed = true
						return fault.New(fault.Unavailable, "too many requests")
					}
					return call()
				})
				s.Edit(cm("a"), "person", set("k", "edit"))
				time.Sleep(againOne + time.Second)
				if k := data(s, "a", "k"); !failed || k != "git" {
					t.Errorf("failed is %v, it is %q", failed, k)
				}
				run.end(t)
			})
		})
	}
}

// Somebody has to ask for the sync, or the commit was refused: it may be for days, and each object that changes meanwhile
// must not cost a read each second.
func TestAnApplicationWhoseSyncIsDueForLongIsReadRarely(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		reads := counting{Records: w.stores.Records}
		w.stores.Records = &reads
		w.declare(func(a *app.Application) { a.Sync.Automated = false })
		w.push(configMap("a", "k: v2") + configMap("b", "k: git"))
		run := w.watch(2 * time.Minute)
		time.Sleep(20 * time.Second)
		s.Edit(cm("b"), "person", set("k", "edit"))
		time.Sleep(10 * time.Second)
		reads.of.Store(0)
		time.Sleep(time.Minute)
		if n := reads.of.Load(); n > 60+8 { // the lease, each second
			t.Errorf("records were read %d times in a minute", n)
		}
		run.end(t)
	})
}

type noHandOver struct{ state.Notes }

func (n noHandOver) Set(ctx context.Context, key, text string) error {
	if key == leftKey(here) {
		return errors.New("item too large")
	}
	return n.Notes.Set(ctx, key, text)
}

func TestALeaseIsFreedThoughNothingCanBeHandedOver(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, _ *server.Server) {
		w.stores.Notes = noHandOver{w.stores.Notes}
		run := w.watch(20 * time.Second)
		<-run.done
		if run.err == nil {
			t.Error("nobody is told")
		}
		if l := w.lease(); l.Owner != "" {
			t.Errorf("it left %+v", l)
		}
	})
}
