package drive

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"slipway/internal/record"
)

// hold is a task that hangs until it is let go.
type hold struct {
	reached, release chan struct{}
}

// holdAt makes the first attempt of a task of the execution under way hang.
func (s *scene) holdAt(task string) hold {
	h := hold{make(chan struct{}), make(chan struct{})}
	first := true
	s.hook(func(ctx context.Context, c Call) {
		if !first || string(c.Task) != task {
			return
		}
		first = false
		close(h.reached)
		select {
		case <-h.release:
		case <-ctx.Done():
		}
	})
	return h
}

// tasks are all that the machine calls, and how a rollout gets there.
var tasks = []string{"Begin", "Ready", "SetWeight", "Verify", "Pause", "Look", "Measure", "Analyze", "Promote", "ScaleDown", "Rollback"}

// reach brings a scene to its first attempt of a task, which hangs.
func (s *scene) reach(task string) hold {
	s.t.Helper()
	if task == "Rollback" {
		s.meter.says(v1alpha1.AnalysisPhaseFailed)
	}
	h := s.holdAt(task)
	s.commit("web:2")
	s.until("at "+task, func() bool {
		select {
		case <-h.reached:
			return true
		default:
		}
		if s.record().Token.Answer == record.Pending && s.record().Token.Step == 1 {
			_ = s.Promote(s.t.Context(), web)
		}
		return false
	})
	return h
}

// everywhere tells one story of each task, in testdata/NAME.txt.
func everywhere(t *testing.T, name string, tell func(s *scene, h hold, task string) []string) {
	t.Helper()
	var out strings.Builder
	for _, task := range tasks {
		t.Run(task, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := begun(t, short)
				h := s.reach(task)
				executions := tell(s, h, task)
				fmt.Fprintf(&out, "%s\n%s", task, s.told(executions...))
				s.safe()
			})
		})
	}
	golden(t, name+".txt", out.String())
}

func (s *scene) letGo(h hold) {
	s.hook(nil)
	close(h.release)
}

// goOn promotes what waits until the rollout has ended.
func (s *scene) goOn() {
	s.t.Helper()
	s.until("ended", func() bool {
		if s.record().Token.Answer == record.Pending && s.record().Token.Step == 1 {
			_ = s.Promote(s.t.Context(), web)
		}
		return s.record().Stage.Ended()
	})
}

func TestAStopAnywhereIsCleanedUpByTheJanitor(t *testing.T) {
	everywhere(t, "stops", func(s *scene, h hold, _ string) []string {
		x := s.record().Execution
		s.must(s.engine.Load().Stop(s.t.Context(), Machine, x, "", ""))
		synctest.Wait()
		s.letGo(h) // what runs goes on, while the janitor waits for pods
		s.until("ended", func() bool { s.tick(); return s.record().Stage.Ended() })
		return []string{x}
	})
}

func TestAStopWhoseEventIsLostIsFoundByTheTick(t *testing.T) {
	everywhere(t, "lost", func(s *scene, h hold, _ string) []string {
		s.deaf.Store(true)
		x := s.record().Execution
		s.must(s.engine.Load().Stop(s.t.Context(), Machine, x, "", ""))
		s.until("ended", func() bool { s.tick(); return s.record().Stage.Ended() })
		s.letGo(h) // late, after all is said
		synctest.Wait()
		return []string{x}
	})
}

func TestANewCommitSupersedesAnywhere(t *testing.T) {
	everywhere(t, "superseded", func(s *scene, h hold, _ string) []string {
		first := s.record().Execution
		s.commit("web:3")
		s.letGo(h)
		s.meter.says(v1alpha1.AnalysisPhaseSuccessful)
		s.until("on its way", func() bool { s.tick(); return s.record().Execution != first })
		s.goOn()
		return []string{first, s.record().Execution}
	})
}

func TestARevertGoesBackAnywhere(t *testing.T) {
	everywhere(t, "reverted", func(s *scene, h hold, _ string) []string {
		first := s.record().Execution
		s.commit("web:1")
		s.letGo(h)
		s.until("on its way", func() bool { s.tick(); return s.record().Execution != first })
		s.goOn()
		return []string{first, s.record().Execution}
	})
}

func TestAnAbortAnywhereIsHeard(t *testing.T) {
	everywhere(t, "aborted", func(s *scene, h hold, _ string) []string {
		err := s.Abort(s.t.Context(), web, "no")
		s.letGo(h)
		s.goOn()
		if err == nil && s.record().Stage != record.Aborted {
			s.t.Errorf("an abort was accepted, and it is %s", s.record().Stage)
		}
		return []string{s.record().Execution}
	})
}

func TestARestartOfTheEngineChangesNoWay(t *testing.T) {
	everywhere(t, "restarted", func(s *scene, _ hold, _ string) []string {
		s.must(s.engine.Load().Close())
		s.hook(nil)
		s.open()
		s.goOn()
		return []string{s.record().Execution}
	})
}

func TestATaskThatAlwaysTimesOutIsRolledBack(t *testing.T) {
	everywhere(t, "timeouts", func(s *scene, h hold, task string) []string {
		if task == "Pause" || task == "Analyze" { // as long as they wait is as long as they take
			s.letGo(h)
			s.goOn()
			return nil
		}
		s.hook(func(_ context.Context, c Call) {
			if string(c.Task) == task {
				time.Sleep(100 * time.Second) // longer than its timeout: it goes on when nobody listens any more
			}
		})
		x := s.record().Execution
		s.until("over", func() bool { return s.ends(x) != "RUNNING" })
		s.letGo(h)
		s.until("ended", func() bool { s.tick(); return s.record().Stage.Ended() })
		return []string{x}
	})
}
