package drive

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/rollout"
)

// Each test here fails when a rule of the protocol is taken out of the code; those of a single write of the record are
// in internal/record.

// stuck makes the first request of an op for a kind hang, and tells when it has come and lets it go.
func (s *scene) stuck(op, kind string) hold {
	h := hold{make(chan struct{}), make(chan struct{})}
	var come atomic.Bool
	s.memory.around = func(got string, id manifest.ID, call func() error) error {
		if got == op && id.Kind == kind && come.CompareAndSwap(false, true) {
			close(h.reached)
			<-h.release
		}
		return call()
	}
	return h
}

// late is an attempt of the execution under way that begins now and is overtaken by a new commit; what it writes after
// that is told by the version of the cluster.
func (s *scene) late(task rollout.Task, stuck hold) error {
	s.t.Helper()
	rec := s.record()
	c := Call{Task: task, State: State{Rollout: web.String(), Fence: rec.Fence, Number: rec.Step, Hash: rec.Hash, Task: task}}
	done := make(chan error)
	go func() {
		_, err := s.Task(s.t.Context(), c)
		done <- err
	}()
	<-stuck.reached
	s.commit("web:3")
	s.until("paused", func() bool { return s.record().Token.Answer == record.Pending && s.record().Hash != rec.Hash })
	before := s.memory.version
	close(stuck.release)
	err := <-done
	if s.memory.version != before {
		s.t.Errorf("a late %s has written: %s", task, s)
	}
	return err
}

func TestRule4TheRecordIsReadAfterTheCluster(t *testing.T) {
	for _, task := range []rollout.Task{Look, rollout.Rollback} {
		synctest.Test(t, func(t *testing.T) {
			s := begun(t, short)
			s.commit("web:2")
			s.paused()
			s.must(s.Promote(t.Context(), web))
			s.paused()
			var superseded *Superseded
			if err := s.late(task, s.stuck("get", "Rollout")); !errors.As(err, &superseded) {
				t.Errorf("%s: %v", task, err)
			}
		})
	}
}

func TestRule4WritesAreOnConditionOfWhatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.commit("web:2")
		s.paused()
		var superseded *Superseded
		if err := s.late(rollout.Rollback, s.stuck("merge", "HTTPRoute")); !errors.As(err, &superseded) {
			t.Error(err)
		}
		if s.weight() != 20 {
			t.Error(s)
		}
	})
}

func TestRule2OfTwoStartsOneStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		read, n := s.record(), s.started.Load()
		ro, err := decode(s.memory.live(web.id()))
		s.must(err)
		for _, revision := range []string{"a.b", "c.d"} {
			_, err := s.Drive.start(t.Context(), web, read, ro, revision, rollout.Restart)
			if err != nil && !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		}
		if got := s.started.Load() - n; got != 1 || s.record().Revision != "a.b" {
			t.Errorf("%d executions were started; the record names %s", got, s.record().Revision)
		}
	})
}

func TestRule2TheTickStartsWhatIsNamedAndMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.apply("web:2")
		s.mute.Store(true)
		if _, err := s.Start(t.Context(), "c", s.memory.live(web.id()), record.Origin{}); !errors.Is(err, errMute) {
			t.Fatal(err)
		}
		s.mute.Store(false)
		s.tick()
		s.paused()
	})
}

func TestRule6ThePatchesForTheRevisionBeforeAreVoid(t *testing.T) {
	for _, patch := range []string{`{"status":{"promoteFull":true}}`, `{"status":{"abort":true}}`} {
		synctest.Test(t, func(t *testing.T) {
			s := begun(t, short)
			s.apply("web:2")
			s.memory.edit(web.id(), patch)
			s.start()
			s.paused()
			if st := s.status(); st.Abort || st.PromoteFull || s.weight() != 20 {
				t.Errorf("%s: %+v", patch, st)
			}
		})
	}
}

func TestRule6ARetryDoesNotHearWhatWasPatchedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.commit("web:2")
		s.paused()
		s.must(s.Abort(t.Context(), web, "no"))
		s.staged(record.Aborted)
		s.memory.edit(web.id(), `{"status":{"promoteFull":true}}`)
		s.must(s.Retry(t.Context(), web))
		s.paused()
		if s.status().PromoteFull || s.weight() != 20 {
			t.Error(s)
		}
	})
}

// between does something just before the first write of a record.
type between struct {
	Rollouts
	come *atomic.Bool
	do   func()
}

func (b between) Update(ctx context.Context, rollout string, change func(*record.Rollout) error) (record.Rollout, error) {
	if b.come.CompareAndSwap(false, true) {
		b.do()
	}
	return b.Rollouts.Update(ctx, rollout, change)
}

func TestRule13APromoteIsForTheWaitThatWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.commit("web:2")
		s.paused()
		b := between{Rollouts: s.Rollouts, come: &atomic.Bool{}, do: func() { s.commit("web:3"); s.paused() }}
		person := New(s.Deps)
		person.Rollouts = b
		if err := person.Promote(t.Context(), web); !fault.Is(err, fault.Conflict) {
			t.Errorf("a promote of web:2 was accepted for web:3: %v", err)
		}
		if s.record().Token.Answer != record.Pending {
			t.Errorf("%+v", s.record().Token)
		}
	})
}

func TestRule3TheTickEndsTheWaitOfWhatWasSuperseded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.commit("web:2")
		s.paused()
		old := s.record()
		s.apply("web:3")
		ro, err := decode(s.memory.live(web.id()))
		s.must(err)
		revision, err := Revision(ro)
		s.must(err)
		_, err = s.Rollouts.Update(t.Context(), web.String(), func(r *record.Rollout) error { // a start that died before it could tell
			return r.Start(old.Fence, revision, web.execution(revision), time.Now())
		})
		s.must(err)
		rec := s.record()
		in, err := input(rec)
		s.must(err)
		s.must(s.engine.Load().Start(t.Context(), Machine, rec.Execution, in))
		s.tick()
		synctest.Wait()
		if got := s.ends(old.Execution); got != "FAILED Superseded" {
			t.Errorf("the old execution is %s", got)
		}
	})
}

func TestRule9AVerdictIsNotWrittenOverAnAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.meter.took = 30 * time.Second
		s.commit("web:2")
		s.paused()
		s.must(s.Promote(t.Context(), web))
		time.Sleep(10 * time.Second)
		s.must(s.Abort(t.Context(), web, "no"))
		s.staged(record.Aborted)
		runs, err := s.memory.All(t.Context(), runKind, web.Namespace, "")
		s.must(err)
		for _, run := range runs {
			if results, found, _ := unstructured.NestedSlice(run.Object, "status", "metricResults"); found {
				t.Errorf("%s: %v", run.GetName(), results)
			}
		}
	})
}

func TestRule11TheJanitorGoesForwardWithAPromotionThatServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.deaf.Store(true)
		h := s.reach("Promote")
		at := s.stuck("merge", "HTTPRoute") // weight 100, after the record says PROMOTING
		s.letGo(h)
		<-at.reached
		s.must(s.engine.Load().Stop(t.Context(), Machine, s.record().Execution, "", ""))
		s.until("ended", func() bool { s.tick(); return s.record().Stage.Ended() })
		close(at.release)
		synctest.Wait()
		if s.record().Stage != record.Healthy {
			t.Errorf("it is %s: %s", s.record().Stage, s)
		}
		s.safe()
	})
}

func TestRule13ATokenIsSentAgain(t *testing.T) {
	for name, verb := range map[string]func(*scene) error{
		"promote": func(s *scene) error { return s.Promote(s.t.Context(), web) },
		"abort":   func(s *scene) error { return s.Abort(s.t.Context(), web, "no") },
		"full":    func(s *scene) error { return s.PromoteFull(s.t.Context(), web) },
	} {
		synctest.Test(t, func(t *testing.T) {
			s := begun(t, short)
			s.commit("web:2")
			s.paused()
			s.mute.Store(true)
			if err := verb(s); !errors.Is(err, errMute) {
				t.Fatalf("%s: %v", name, err)
			}
			s.mute.Store(false)
			time.Sleep(time.Minute)
			step := s.record().Step
			s.tick()
			s.until("on its way", func() bool { return s.record().Step > step })
		})
	}
}

func TestRule14TheRecordIsReadBeforeTheList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		var come atomic.Bool
		s.memory.around = func(op string, id manifest.ID, call func() error) error {
			if op == "list" && id.Kind == "ReplicaSet" && come.CompareAndSwap(false, true) { // the Rollouts are listed
				s.commit("web:2")
			}
			return call()
		}
		s.tick()
		s.paused()
		if n := s.started.Load(); n != 2 {
			t.Errorf("%d executions: the tick has started what it had listed before", n)
		}
	})
}

func TestRule15TheJanitorLeavesALiveExecutionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.commit("web:2")
		s.paused()
		before := s.record()
		if err := s.Janitor(t.Context(), web, before.Fence); !fault.Is(err, fault.Busy) {
			t.Error(err)
		}
		if s.record().Fence != before.Fence {
			t.Error("it took the record")
		}
	})
}

func TestWhatComesInTheMiddleFollowsThePolicy(t *testing.T) {
	for name, want := range map[string]struct {
		kind    fault.Kind
		refused bool
	}{"queue": {}, "reject": {fault.Invalid, true}, "nonsense": {fault.Invalid, true}} {
		synctest.Test(t, func(t *testing.T) {
			s := begun(t, short)
			s.commit("web:2")
			s.paused()
			execution := s.record().Execution
			s.memory.edit(web.id(), `{"metadata":{"annotations":{"slipway.dev/supersede":"`+name+`"}}}`)
			u := s.memory.live(web.id())
			s.must(unstructured.SetNestedField(u.Object, int64(60), "spec", "template", "spec", "terminationGracePeriodSeconds"))
			started, err := s.Start(t.Context(), "c", u, record.Origin{})
			if started || want.refused != fault.Is(err, want.kind) || !want.refused && err != nil {
				t.Errorf("%s: started %t, %v", name, started, err)
			}
			if s.record().Execution != execution {
				t.Errorf("%s: the execution is another one", name)
			}
		})
	}
}
