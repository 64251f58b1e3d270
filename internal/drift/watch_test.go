package drift

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/state"
	"slipway/test/server"
)

var here = app.Cluster{Name: "real"}

// watched is a run of watch mode.
type watched struct {
	cancel context.CancelFunc
	done   chan struct{}
	rep    Report
	err    error
}

// watch begins a run in a process of its own.
func (w *world) watch(limit time.Duration) *watched {
	ctx, cancel := context.WithCancel(w.t.Context())
	_, d := w.process(w.stores)
	r := &watched{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.rep, r.err = d.Watch(ctx, here, limit)
	}()
	return r
}

func (r *watched) end(t *testing.T) Report {
	t.Helper()
	r.cancel()
	<-r.done
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.rep
}

// timedWatch runs a test by a clock of its own, with an application of the objects a and b that heals.
func timedWatch(t *testing.T, test func(t *testing.T, w *world, s *server.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, s := newMemory(t)
		w.sync(configMap("a", "k: git", "l: git") + configMap("b", "k: git"))
		s.Take()
		test(t, w, s)
	})
}

func TestAnEditIsHealedAtOnce(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		run := w.watch(time.Minute)
		time.Sleep(20 * time.Second)
		s.Edit(cm("a"), "person", set("k", "edit"))
		s.Drop(cm("b"))
		time.Sleep(10 * time.Millisecond)
		if a, b := data(s, "a", "k"), data(s, "b", "k"); a != "git" || b != "git" {
			t.Errorf("after 10 ms they are %q and %q", a, b)
		}
		rep := run.end(t)
		if rep.Healed != 2 || rep.Events == 0 || rep.Milliseconds != 20_010 {
			t.Errorf("%+v", rep)
		}
		want := []string{"Drifted ConfigMap/a healed .data.k by person", "Missing ConfigMap/b healed"}
		if diff := cmp.Diff(want, found(rep)); diff != "" {
			t.Error(diff)
		}
	})
}

// The schedule of backoff.go, to the instant: a field whose time has come is healed without being told of again.
func TestALoopIsFoughtByScheduleAndThenNoMore(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		run := w.watch(10 * time.Minute)
		time.Sleep(10 * time.Second)
		begin := time.Now()
		var heals []string
		for i := range 400 {
			s.Edit(cm("a"), "loop", set("k", fmt.Sprint("loop ", i)))
			for range 10 {
				time.Sleep(100 * time.Millisecond)
				if data(s, "a", "k") == "git" {
					heals = append(heals, time.Since(begin).Truncate(time.Second).String())
					break
				}
			}
			time.Sleep(time.Until(begin.Add(time.Duration(i+1) * time.Second)))
		}
		if diff := cmp.Diff([]string{"0s", "2s", "8s", "26s", "1m20s"}, heals); diff != "" {
			t.Error(diff)
		}
		s.Edit(cm("a"), "person", set("l", "edit"))
		time.Sleep(10 * time.Millisecond)
		if l := data(s, "a", "l"); l != "git" {
			t.Errorf("the other field is %q", l)
		}
		rep := run.end(t)
		if !slices.ContainsFunc(rep.Findings, func(f Located) bool { return f.Fight == "loop" }) {
			t.Errorf("the loop is not named: %+v", rep.Findings)
		}
	})
}

func TestAFieldIsHealedWhenItsTimeHasComeThoughNothingHappens(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		run := w.watch(time.Minute)
		time.Sleep(10 * time.Second)
		for range 2 {
			s.Edit(cm("a"), "person", set("k", "edit"))
			time.Sleep(10 * time.Millisecond)
		}
		if k := data(s, "a", "k"); k != "edit" {
			t.Fatalf("the second heal came at once: %q", k)
		}
		time.Sleep(2 * time.Second)
		if k := data(s, "a", "k"); k != "git" {
			t.Errorf("after two seconds it is %q", k)
		}
		run.end(t)
	})
}

func TestASuccessorAsksAndGoesOnWhereTheHolderStopped(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		first := w.watch(WatchLimit)
		time.Sleep(time.Minute)
		second := w.watch(WatchLimit)
		time.Sleep(leaseBeat + 2*askBeat)
		select {
		case <-first.done:
		default:
			t.Fatal("the holder does not let go")
		}
		if first.err != nil {
			t.Error(first.err)
		}
		s.Edit(cm("a"), "person", set("k", "edit"))
		time.Sleep(10 * time.Millisecond)
		if k := data(s, "a", "k"); k != "git" {
			t.Errorf("after the hand-over it is %q", k)
		}
		if rep := second.end(t); rep.Healed != 1 {
			t.Errorf("%+v", rep)
		}
		if l := w.lease(); l.Owner != "" || l.Asked {
			t.Errorf("the lease is not free: %+v", l)
		}
	})
}

func TestOneRunWatchesAtATimeAndTheOthersSweep(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		_, err := w.stores.Records.Update(t.Context(), leaseName(here), func(r *record.Record) error { // and its holder dies
			return r.Take("watch", time.Now(), time.Now().Add(WatchLimit))
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Edit(cm("a"), "person", set("k", "edit"))
		begin := time.Now()
		run := w.watch(WatchLimit)
		<-run.done
		if run.err != nil || run.rep.Healed != 1 || run.rep.Fallback == "" || time.Since(begin) != askTime {
			t.Errorf("%+v, error %v, after %s", run.rep, run.err, time.Since(begin))
		}
		time.Sleep(WatchLimit + record.Grace)
		run = w.watch(WatchLimit)
		time.Sleep(10 * time.Second)
		s.Edit(cm("b"), "person", set("k", "edit"))
		time.Sleep(10 * time.Millisecond)
		if k := data(s, "b", "k"); k != "git" {
			t.Error("nobody watches after the dead holder's lease")
		}
		run.end(t)
	})
}

func TestARunEndsInOrderAheadOfItsDeadline(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, _ *server.Server) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		_, err := w.drift.Watch(ctx, here, WatchLimit)
		if took := time.Since(begin); err != nil || took > time.Minute-leaveTime {
			t.Errorf("it ended after %s with %v", took, err)
		}
		if l := w.lease(); l.Owner != "" {
			t.Errorf("it left %+v", l)
		}
		l, err := w.drift.left(t.Context(), here)
		if err != nil || l.Versions["ConfigMap"] == "" {
			t.Errorf("it left %+v, error %v", l, err)
		}
	})
}

// 410: the server does not go back so far, and what happened meanwhile is found by a LIST.
func TestAWatchThatIsTooFarBehindIsPrecededByASweep(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		first := w.watch(time.Minute)
		time.Sleep(10 * time.Second)
		first.end(t)
		s.Edit(cm("a"), "person", set("k", "edit"))
		s.DropHistory()
		run := w.watch(time.Minute)
		time.Sleep(10 * time.Millisecond)
		if k := data(s, "a", "k"); k != "git" {
			t.Errorf("what no watch tells of is %q", k)
		}
		time.Sleep(5 * time.Second)
		s.Drop(cm("b"))
		time.Sleep(10 * time.Millisecond)
		if k := data(s, "b", "k"); k != "git" {
			t.Errorf("it does not watch again: b is %q", k)
		}
		run.end(t)
	})
}

// A server that restarts with an empty watch cache: all watches break, and their versions are too old.
func TestARestartOfTheAPIServerLosesNothing(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		run := w.watch(2 * time.Minute)
		time.Sleep(10 * time.Second)
		away := fault.New(fault.Unavailable, "connection refused")
		configMaps := schema.GroupKind{Kind: "ConfigMap"}
		s.FailKind(configMaps, away)
		s.CutWatches()
		s.Edit(cm("a"), "person", set("k", "edit"))
		time.Sleep(20 * time.Second)
		s.DropHistory()
		before := len(s.Requests())
		time.Sleep(20 * time.Second)
		if n := len(s.Requests()) - before; n > 5 {
			t.Errorf("%d requests in 20 s to a server that is away", n)
		}
		s.FailKind(configMaps, nil)
		time.Sleep(sweepMost)
		if k := data(s, "a", "k"); k != "git" {
			t.Errorf("after the server came back it is %q", k)
		}
		if rep := run.end(t); slices.ContainsFunc(rep.Findings, func(f Located) bool { return f.Outcome == Missing || f.Outcome == Extra }) {
			t.Errorf("found %q", found(rep))
		}
	})
}

func TestAnEditDuringASyncIsHealedAfterIt(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		run := w.watch(2 * time.Minute)
		time.Sleep(10 * time.Second)
		w.push(configMap("a", "k: v2", "l: git") + configMap("b", "k: git"))
		s.Edit(cm("b"), "person", set("k", "edit"))
		time.Sleep(5 * time.Second)
		if w := s.Take(); len(w) > 0 {
			t.Errorf("something was written while a newer set was wanted: %v", w)
		}
		w.finish()
		time.Sleep(againBusy)
		if a, b := data(s, "a", "k"), data(s, "b", "k"); a != "v2" || b != "git" {
			t.Errorf("after the sync they are %q and %q", a, b)
		}
		run.end(t)
	})
}

func TestAFindingIsOverOnceSomebodyPutItRight(t *testing.T) {
	for how, right := range map[string]func(w *world, s *server.Server){
		"by hand": func(_ *world, s *server.Server) { // the field stays theirs: the metadata is as it was
			s.Edit(cm("a"), "person", set("k", "git"))
			time.Sleep(againSame)
		},
		"by a sync": func(w *world, _ *server.Server) {
			w.sync(configMap("a", "k: git", "l: new") + configMap("b", "k: git"))
		},
	} {
		t.Run(how, func(t *testing.T) {
			timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
				w.declare(func(a *app.Application) { a.Sync.SelfHeal = false })
				run := w.watch(time.Minute)
				time.Sleep(10 * time.Second)
				s.Edit(cm("a"), "person", set("k", "edit"))
				time.Sleep(10 * time.Millisecond)
				if f := w.known().Findings; len(f) != 1 || f[0].Outcome != Drifted || f[0].Healed {
					t.Fatalf("found %+v", f)
				}
				right(w, s)
				time.Sleep(time.Second)
				if f := w.known().Findings; len(f) > 0 {
					t.Errorf("still found %+v", f)
				}
				run.end(t)
			})
		})
	}
}

// A run that could not read the records for a while has recovered; one that cannot to its end says so.
func TestARunIsAnErrorOnlyForWhatFailsToItsEnd(t *testing.T) {
	for _, recovers := range []bool{true, false} {
		timedWatch(t, func(t *testing.T, w *world, _ *server.Server) {
			away := &unreadable{Records: w.stores.Records}
			w.stores.Records = away
			run := w.watch(time.Minute)
			time.Sleep(10 * time.Second)
			away.is.Store(true)
			time.Sleep(20 * time.Second)
			away.is.Store(!recovers)
			<-run.done
			if recovers != (run.err == nil) {
				t.Errorf("recovers %v, the error is %v", recovers, run.err)
			}
		})
	}
}

// unreadable are records that cannot be listed.
type unreadable struct {
	state.Records
	is atomic.Bool
}

func (u *unreadable) List(ctx context.Context) ([]record.Record, error) {
	if u.is.Load() {
		return nil, fault.New(fault.Unavailable, "the store is away")
	}
	return u.Records.List(ctx)
}

func (w *world) lease() record.Lock {
	w.t.Helper()
	r, err := w.stores.Records.Get(w.t.Context(), leaseName(here))
	if err != nil {
		w.t.Fatal(err)
	}
	return r.Lock
}

// Hints of what a run leaves are worth nothing if they are damaged.
func TestADamagedHandOverIsAsGoodAsNone(t *testing.T) {
	for _, text := range []string{"{", `{"versions":{"ConfigMap":"x"}}`, `{"versions":{"ConfigMap":"999999999"}}`, strings.Repeat("a", 1000)} {
		timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
			if err := w.stores.Notes.Set(t.Context(), leftKey(here), text); err != nil {
				t.Fatal(err)
			}
			run := w.watch(time.Minute)
			time.Sleep(30 * time.Second)
			s.Edit(cm("a"), "person", set("k", "edit"))
			time.Sleep(30 * time.Second)
			if k := data(s, "a", "k"); k != "git" {
				t.Errorf("after %.20q it is %q", text, k)
			}
			run.cancel()
			<-run.done
		})
	}
}

// A role that may list and not watch: the cluster is swept as in sweep mode, and the report says why.
func TestAClusterThatForbidsWatchesIsSwept(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		s.Around(func(op string, call func() error) error {
			if op == "watch" {
				return fault.New(fault.Denied, "configmaps is forbidden: cannot watch")
			}
			return call()
		})
		run := w.watch(WatchLimit)
		for i := range 2 {
			s.Edit(cm("a"), "person", set("k", fmt.Sprint("edit ", i)))
			time.Sleep(70 * time.Second)
			if k := data(s, "a", "k"); k != "git" {
				t.Errorf("after a minute it is %q", k)
			}
		}
		if n := s.Count("sweep"); n > 10 {
			t.Errorf("%d sweeps in %s", n, 140*time.Second)
		}
		<-run.done
		if !fault.Is(run.err, fault.Denied) {
			t.Errorf("the error is %v", run.err)
		}
	})
}
