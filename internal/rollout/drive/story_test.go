package drive

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/record"
)

// short is a routed Rollout that visits every task.
var short = steps("[{setWeight: 20}, {pause: {}}, {analysis: {templates: [{templateName: success-rate}]}}, {setWeight: 60}]")

// told is how a scene went: the way of each execution but the first, its end, and what is there then.
func (s *scene) told(executions ...string) string {
	var out strings.Builder
	for _, x := range executions {
		fmt.Fprintf(&out, "  %s\n  => %s\n", s.path(x), s.ends(x))
	}
	rec, st := s.record(), s.status()
	stable := ""
	sets, err := s.memory.All(context.Background(), setKind, web.Namespace, hashLabel+"="+st.StableRS)
	s.must(err)
	for i := range sets {
		stable = imageOf(&sets[i])
	}
	fmt.Fprintf(&out, "  => %s, weight %d, stable %s, %s\n", rec.Stage, s.weight(), stable, st.Phase)
	return out.String()
}

// safe holds what must be true once nothing is under way: all traffic on stable, all of stable's pods, no others.
func (s *scene) safe() {
	s.t.Helper()
	s.until("ended", func() bool {
		s.tick()
		return s.record().Stage.Ended()
	})
	for range 5 { // what is left goes at the next ticks
		time.Sleep(10 * time.Second)
		s.tick()
	}
	st := s.status()
	text := s.String()
	if w := s.weight(); w != 0 {
		s.t.Errorf("weight %d: %s", w, text)
	}
	for _, service := range []string{"canary", "stable"} {
		if !strings.Contains(text, "order-service-"+service+"="+st.StableRS) {
			s.t.Errorf("%s Service: %s", service, text)
		}
	}
	sets, err := s.memory.All(context.Background(), setKind, web.Namespace, "")
	s.must(err)
	for _, rs := range sets {
		wanted, _, _ := unstructured.NestedInt64(rs.Object, "spec", "replicas")
		if stable := rs.GetLabels()[hashLabel] == st.StableRS; stable != (wanted > 0) {
			s.t.Errorf("%s is told to have %d pods: %s", rs.GetName(), wanted, text)
		}
	}
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// The exact way of each story is in testdata/stories.txt.
func TestEachStoryTakesItsWay(t *testing.T) {
	var out strings.Builder
	for _, story := range []struct {
		name      string
		manifests string
		tell      func(s *scene)
	}{
		{"the tutorial, good", fmt.Sprintf(tutorial, "web:1"), func(s *scene) { s.staged(record.Healthy) }},
		{"the tutorial, judged bad", fmt.Sprintf(tutorial, "web:1"), func(s *scene) {
			s.meter.says(v1alpha1.AnalysisPhaseFailed)
			s.staged(record.Aborted)
		}},
		{"a person promotes", short, func(s *scene) {
			s.paused()
			s.must(s.Promote(s.t.Context(), web))
			s.staged(record.Healthy)
		}},
		{"a person aborts in the pause", short, func(s *scene) {
			s.paused()
			s.must(s.Abort(s.t.Context(), web, "I do not like it"))
			s.staged(record.Aborted)
		}},
		{"a person aborts an analysis", short, func(s *scene) {
			s.paused()
			s.must(s.Promote(s.t.Context(), web))
			time.Sleep(30 * time.Second)
			s.paused()
			s.must(s.Abort(s.t.Context(), web, "I do not like it"))
			s.staged(record.Aborted)
		}},
		{"a person skips an analysis", short, func(s *scene) {
			s.paused()
			s.must(s.Promote(s.t.Context(), web))
			time.Sleep(30 * time.Second)
			s.paused()
			s.must(s.Promote(s.t.Context(), web))
			s.staged(record.Healthy)
		}},
		{"a person promotes in full", short, func(s *scene) {
			s.paused()
			s.must(s.PromoteFull(s.t.Context(), web))
			s.staged(record.Healthy)
		}},
		{"the plugin promotes", short, func(s *scene) {
			s.paused()
			s.memory.edit(web.id(), `{"status":{"pauseConditions":null}}`)
			s.tick()
			s.staged(record.Healthy)
		}},
		{"the plugin promotes in full", short, func(s *scene) {
			s.paused()
			s.memory.edit(web.id(), `{"status":{"promoteFull":true}}`)
			s.tick()
			s.staged(record.Healthy)
		}},
		{"the plugin aborts", short, func(s *scene) {
			s.paused()
			s.memory.edit(web.id(), `{"status":{"abort":true}}`)
			s.tick()
			s.staged(record.Aborted)
		}},
		{"the console promotes", short, func(s *scene) {
			s.paused()
			s.control("promote", "SUCCEEDED")
			s.staged(record.Healthy)
		}},
		{"the console aborts", short, func(s *scene) {
			s.paused()
			s.control("abort", "SUCCEEDED")
			s.staged(record.Aborted)
		}},
		{"judged bad", short, func(s *scene) {
			s.meter.says(v1alpha1.AnalysisPhaseFailed)
			s.paused()
			s.must(s.Promote(s.t.Context(), web))
			s.staged(record.Aborted)
		}},
		{"nobody can measure", short, func(s *scene) {
			s.meter.says(v1alpha1.AnalysisPhaseError)
			s.paused()
			s.must(s.Promote(s.t.Context(), web))
			s.staged(record.Aborted)
		}},
		{"in doubt, then a person promotes", short, func(s *scene) {
			s.meter.says(v1alpha1.AnalysisPhaseInconclusive)
			s.paused()
			s.must(s.Promote(s.t.Context(), web))
			s.until("in doubt", func() bool {
				pauses := s.status().PauseConditions
				return len(pauses) == 1 && pauses[0].Reason == v1alpha1.PauseReasonInconclusiveAnalysis && s.record().Token.Answer == record.Pending
			})
			s.must(s.Promote(s.t.Context(), web))
			s.staged(record.Healthy)
		}},
		{"its pods die in the pause", short, func(s *scene) {
			s.paused()
			s.breaks("web:2")
			time.Sleep(2 * time.Second)
			s.tick()
			s.staged(record.Aborted)
		}},
		{"its replicas change in the pause", short, func(s *scene) {
			s.paused()
			s.memory.edit(web.id(), `{"spec":{"replicas":10}}`)
			s.until("two canary pods", func() bool {
				s.tick()
				return s.record().Token.Answer == record.Pending && s.status().UpdatedReplicas == 2
			})
			s.must(s.Promote(s.t.Context(), web))
			s.staged(record.Healthy)
		}},
		{"a pause of eight days", short, func(s *scene) {
			s.paused()
			s.every.Store(int64(time.Hour))
			time.Sleep(8 * 24 * time.Hour)
			s.every.Store(int64(time.Second))
			s.must(s.Promote(s.t.Context(), web))
			s.staged(record.Healthy)
		}},
	} {
		t.Run(story.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := begun(t, story.manifests)
				s.commit("web:2")
				x := s.record().Execution
				story.tell(s)
				fmt.Fprintf(&out, "%s\n%s", story.name, s.told(x))
				s.safe()
			})
		})
	}
	golden(t, "stories.txt", out.String())
}

// control starts the machine that people start in the console.
func (s *scene) control(action, want string) {
	s.t.Helper()
	name := fmt.Sprint(action, "-", time.Now().UnixNano())
	s.must(s.engine.Load().Start(s.t.Context(), "rollout-control", name, fmt.Appendf(nil, `{"rollout":%q,"action":%q}`, web, action)))
	s.until("controlled", func() bool {
		x, err := s.engine.Load().Describe(s.t.Context(), "rollout-control", name)
		s.must(err)
		if x.Status != "RUNNING" && strings.TrimSpace(string(x.Status)+" "+x.Error) != want {
			s.t.Fatalf("%s: %+v", action, x)
		}
		return x.Status != "RUNNING"
	})
}

func TestWhatCannotBeDoneIsRefusedWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		for _, action := range []string{"promote", "promote-full", "abort", "retry", "explode"} {
			s.control(action, "FAILED Refused")
		}
		for name, err := range map[string]error{"promote": s.Promote(t.Context(), web), "abort": s.Abort(t.Context(), web, ""), "retry": s.Retry(t.Context(), web)} {
			if !fault.Is(err, fault.Busy) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := s.Promote(t.Context(), Key{"c", "a", "b"}); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		var refused *Refused
		if err := s.Control(t.Context(), Control{Rollout: "x", Action: "abort"}); !errors.As(err, &refused) {
			t.Error(err)
		}
	})
}
