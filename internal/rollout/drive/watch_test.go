package drive

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// watched runs a watch while do runs, and returns its error.
func (s *scene) watched(do func()) error {
	ctx, stop := context.WithCancel(s.t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Watch(ctx, "c") }()
	synctest.Wait()
	do()
	stop()
	return <-done
}

func TestAWatchActsOnAPatchWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.commit("web:2")
		s.paused()
		err := s.watched(func() {
			time.Sleep(5 * time.Minute) // in the middle of a long pause
			begin := time.Now()
			s.memory.edit(web.id(), `{"status":{"abort":true}}`)
			s.until("safe", func() bool { return s.weight() == 0 })
			if took := time.Since(begin); took > time.Second {
				t.Errorf("weight 0 after %s", took)
			}
			s.staged(record.Aborted)
		})
		s.must(err)
	})
}

func TestAWatchStartsWhatAnEditAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.must(s.watched(func() {
			s.apply("web:2") // as an undo or a set image does: nobody calls Start
			s.paused()
		}))
	})
}

// Its own writes are changes too: a tick that wrote at each look would go round for ever.
func TestAWatchWritesNothingWhereNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.commit("web:2")
		s.paused()
		s.must(s.watched(func() {
			time.Sleep(10 * time.Second)
			var writes atomic.Int64
			s.memory.mu.Lock()
			s.memory.watch = func(_, _ *unstructured.Unstructured) { writes.Add(1) }
			s.memory.mu.Unlock()
			before := s.record()
			time.Sleep(10 * time.Minute)
			if after := s.record(); writes.Load() > 0 || after.Fence != before.Fence || after.Step != before.Step {
				t.Errorf("%d writes; %+v, before %+v", writes.Load(), after, before)
			}
		}))
	})
}

func TestAWatchThatBreaksGoesOnAndIsToldOfWhileItIsOfNoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		var broken atomic.Bool
		broken.Store(true)
		s.memory.around = func(op string, _ manifest.ID, call func() error) error {
			if op == "watch" && broken.Load() {
				return fault.New(fault.Unavailable, "the connection was refused")
			}
			return call()
		}
		err := s.watched(func() { time.Sleep(time.Minute) })
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "refused") {
			t.Errorf("a watch of no use: %v", err)
		}
		err = s.watched(func() {
			time.Sleep(time.Minute)
			broken.Store(false)
			time.Sleep(time.Minute)
		})
		s.must(err)
	})
}

func TestAClusterThatKnowsNoRolloutsIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.must(s.Rollouts.Delete(t.Context(), web.String()))
		s.memory.around = func(_ string, id manifest.ID, call func() error) error {
			if id.Kind == rolloutKind.Kind {
				return fault.New(fault.NotFound, "the cluster knows no kind Rollout")
			}
			return call()
		}
		s.must(s.watched(func() { time.Sleep(time.Minute) }))
	})
}

// Analyses of which the next measurement is far away are ended by the plugin's promote, which moves the index and no more.
func TestAWatchEndsAnAnalysisThatThePluginPromotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, steps("[{setWeight: 20}, {analysis: {templates: [{templateName: success-rate}]}}, {pause: {}}]"))
		s.commit("web:2")
		s.must(s.watched(func() {
			s.until("analysing", func() bool {
				return s.status().Canary.CurrentStepAnalysisRunStatus != nil && s.record().Token.Answer == record.Pending
			})
			at := *s.status().CurrentStepIndex
			s.memory.edit(web.id(), fmt.Sprintf(`{"status":{"pauseConditions":null,"currentStepIndex":%d}}`, at+1))
			begin := time.Now()
			s.until("gone on", func() bool { return s.record().Token.Step != at })
			if took := time.Since(begin); took > time.Second {
				t.Errorf("after %s", took)
			}
		}))
	})
}
