package drive

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/record"
)

// The places in which a rollout can be found.
var places = map[string]func(s *scene){
	"in a pause":    func(s *scene) { s.commit("web:2"); s.paused() },
	"after its end": func(*scene) {},
	"after an abort": func(s *scene) {
		s.commit("web:2")
		s.paused()
		s.must(s.Abort(s.t.Context(), web, "no"))
		s.staged(record.Aborted)
	},
}

// settles holds that ticks bring about what is wanted, and then have nothing to do.
func (s *scene) settles(what string, is func() bool) {
	s.t.Helper()
	s.until(what, func() bool { s.tick(); return is() })
	time.Sleep(2 * time.Minute)
	s.tick()
	time.Sleep(2 * time.Minute)
	rec, version := s.record(), s.memory.live(web.id()).GetResourceVersion()
	for range 5 {
		s.tick()
		time.Sleep(time.Minute)
	}
	if now := s.record(); now.Fence != rec.Fence || now.Step != rec.Step || s.memory.live(web.id()).GetResourceVersion() != version {
		s.t.Errorf("%s: ticks go on and on: %+v, before %+v", what, now, rec)
	}
}

func (s *scene) wants(hash string) int64 {
	s.t.Helper()
	n, _, err := unstructured.NestedInt64(s.memory.live(web.of(setKind, web.Name+"-"+hash)).Object, "spec", "replicas")
	s.must(err)
	return n
}

// What a controller would see at once, the tick sees: design.md 4, "The tick". Edits of the template, promotes and aborts
// are in story_test.go and watch_test.go.
func TestTheTickSees(t *testing.T) {
	for row, see := range map[string]func(s *scene, place string){
		"replicas that git, an autoscaler or a person has changed": func(s *scene, _ string) {
			s.memory.edit(web.id(), `{"spec":{"replicas":9}}`)
			s.settles("scaled", func() bool {
				live := s.memory.live(web.id())
				return s.wants(s.status().StableRS) == 9 && s.status().AvailableReplicas >= 9 && s.status().ObservedGeneration == fmt.Sprint(live.GetGeneration())
			})
		},
		"a restart": func(s *scene, _ string) {
			at := time.Now().Add(time.Minute).UTC().Format(time.RFC3339)
			s.memory.edit(web.id(), `{"spec":{"restartAt":"`+at+`"}}`)
			s.settles("restarted", func() bool {
				st := s.status()
				return st.RestartedAt != nil && st.RestartedAt.UTC().Format(time.RFC3339) == at
			})
		},
		"a pause, and its end": func(s *scene, place string) {
			before := s.status().Phase
			s.memory.edit(web.id(), `{"spec":{"paused":true}}`)
			s.settles("paused", func() bool {
				return place == "after an abort" || s.status().Phase == v1alpha1.RolloutPhasePaused && s.status().Message == "manually paused"
			})
			s.memory.edit(web.id(), `{"spec":{"paused":false}}`)
			s.settles("not paused", func() bool { return s.status().Phase == before && s.status().Message != "manually paused" })
		},
		"pods that die, and come again": func(s *scene, _ string) {
			s.breaks("web:1")
			s.settles("seen", func() bool { return s.status().AvailableReplicas < 4 })
			s.mend()
			s.settles("seen again", func() bool { return s.status().AvailableReplicas >= 4 })
		},
	} {
		for place, come := range places {
			t.Run(row+", "+place, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := begun(t, short)
					come(s)
					see(s, place)
				})
			})
		}
	}
}

func TestTheTickSeesADeadlineThatPassesAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.breaks("web:1")
		time.Sleep(5 * time.Second)
		s.tick()
		if s.status().Phase != v1alpha1.RolloutPhaseProgressing {
			t.Errorf("%s", s)
		}
		time.Sleep(11 * time.Minute)
		s.settles("Degraded", func() bool { return s.status().Phase == v1alpha1.RolloutPhaseDegraded })
		s.mend()
		s.settles("Healthy", func() bool { return s.status().Phase == v1alpha1.RolloutPhaseHealthy })
	})
}

func TestTheTickTakesDownOldPodsThatAPersonHasScaledUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		old := s.status().StableRS
		s.commit("web:2")
		s.goOn()
		s.memory.edit(web.of(setKind, web.Name+"-"+old), `{"spec":{"replicas":2}}`)
		time.Sleep(5 * time.Second)
		s.settles("taken down", func() bool { return s.wants(old) == 0 && s.status().Replicas == 4 })
	})
}

func TestTheTickHearsThePluginsRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		places["after an abort"](s)
		s.memory.edit(web.id(), `{"status":{"abort":false}}`)
		s.tick()
		s.paused()
		if s.weight() != 20 {
			t.Error(s)
		}
	})
}

func TestTheTickEndsWhatADeletedRolloutHasLeft(t *testing.T) {
	for place, come := range places {
		synctest.Test(t, func(t *testing.T) {
			s := begun(t, short)
			come(s)
			x, ran := s.record().Execution, !s.record().Stage.Ended()
			s.memory.mu.Lock()
			delete(s.memory.objects, web.id())
			s.memory.mu.Unlock()
			s.tick()
			synctest.Wait()
			if _, err := s.Rollouts.Get(t.Context(), web.String()); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: the record: %v", place, err)
			}
			if got := s.ends(x); ran && got != "ABORTED Deleted" {
				t.Errorf("%s: its execution: %s", place, got)
			}
		})
	}
}
