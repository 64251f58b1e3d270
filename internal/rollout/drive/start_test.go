package drive

import (
	"testing"
	"testing/synctest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/record"
)

// The Rollout's status remembers an abort when the record is lost: what was rolled back must not be started again.
func TestRule2WhatWasAbortedIsNotStartedWhenItsRecordIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		lost  func(s *scene) bool
		start func(s *scene)
	}{
		"at the end, found by the tick": {
			func(s *scene) bool { return s.record().Stage == record.Aborted },
			(*scene).tick,
		},
		"at the end, found by a sync": {
			func(s *scene) bool { return s.record().Stage == record.Aborted },
			(*scene).start,
		},
		"in the middle of the rollback": {
			func(s *scene) bool { return s.record().Stage == record.Aborting && s.status().Abort },
			(*scene).tick,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := begun(t, short)
				s.commit("web:2")
				s.paused()
				revision, executions := s.record().Revision, s.started.Load()
				s.must(s.Abort(t.Context(), web, "no"))
				s.until("lost", func() bool { return c.lost(s) })
				s.must(s.Rollouts.Delete(t.Context(), web.String()))
				c.start(s)
				s.safe()
				s.start()
				if rec := s.record(); rec.Stage != record.Aborted || rec.Revision != revision || !rec.Rejects(revision) || s.started.Load() != executions {
					t.Errorf("%d executions more, %+v", s.started.Load()-executions, rec)
				}
				s.must(s.Retry(t.Context(), web))
				s.paused()
				if s.status().Abort || s.weight() != 20 {
					t.Errorf("a retry: %s", s)
				}
			})
		})
	}
}

func TestRule2AnotherCommitIsStartedWhenTheRecordOfAnAbortIsLost(t *testing.T) {
	for name, commit := range map[string]func(s *scene){
		"another template": func(s *scene) { s.commit("web:3") },
		"other steps": func(s *scene) {
			s.memory.edit(web.id(), `{"spec":{"strategy":{"canary":{"steps":[{"setWeight":30},{"pause":{}}]}}}}`)
			s.start()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := begun(t, short)
				s.commit("web:2")
				s.paused()
				s.must(s.Abort(t.Context(), web, "no"))
				s.staged(record.Aborted)
				s.must(s.Rollouts.Delete(t.Context(), web.String()))
				commit(s)
				s.paused()
			})
		})
	}
}

func TestARecordSaysWhoseCommitItsRevisionCameWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.apply("web:2")
		s.tick() // faster than the sync that knows
		if got := s.record().Origin; got != (record.Origin{}) {
			t.Errorf("before a sync has told: %+v", got)
		}
		s.origin = record.Origin{Application: "argocd/web", Commit: "abc"}
		s.start()
		s.paused()
		s.must(s.Abort(t.Context(), web, "no"))
		s.staged(record.Aborted)
		s.must(s.Retry(t.Context(), web))
		s.paused()
		if got := s.record().Origin; got != s.origin {
			t.Errorf("after an abort and a retry: %+v", got)
		}
		s.apply("web:3")
		s.tick()
		if got := s.record().Origin; got != (record.Origin{}) {
			t.Errorf("another revision has the old one's: %+v", got)
		}
	})
}

// A sync rejects what it has not applied: nothing may be started by that, and nothing rejected that does not come in between.
func TestACommitThatIsHeldBackIsRejectedOnlyWhileAnotherOneRuns(t *testing.T) {
	next := func(s *scene) *unstructured.Unstructured {
		u := s.memory.live(web.id())
		s.must(unstructured.SetNestedField(u.Object, int64(60), "spec", "template", "spec", "terminationGracePeriodSeconds"))
		return u
	}
	for name, c := range map[string]struct {
		before func(s *scene)
		u      func(s *scene) *unstructured.Unstructured
		want   bool
	}{
		"while it runs":           {func(*scene) {}, next, true},
		"the one that runs":       {func(*scene) {}, func(s *scene) *unstructured.Unstructured { return s.memory.live(web.id()) }, false},
		"after it has ended":      {func(s *scene) { s.must(s.PromoteFull(s.t.Context(), web)); s.staged(record.Healthy) }, next, false},
		"when its record is lost": {func(s *scene) { s.must(s.Rollouts.Delete(s.t.Context(), web.String())) }, next, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := begun(t, short)
				s.commit("web:2")
				s.paused()
				c.before(s)
				u, executions := c.u(s), s.started.Load()
				_, revision, err := revised(u)
				s.must(err)
				if err := s.Reject(t.Context(), "c", u); fault.Is(err, fault.Invalid) != c.want || !c.want && err != nil {
					t.Error(err)
				}
				rec, err := s.Rollouts.Get(t.Context(), web.String())
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Fatal(err)
				}
				if rec.Rejects(revision) != c.want || s.started.Load() != executions {
					t.Errorf("%d executions more, %+v", s.started.Load()-executions, rec)
				}
			})
		})
	}
}
