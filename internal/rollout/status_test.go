package rollout

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files")

// situations are what people look at with kubectl argo rollouts get, each as a way to get there.
var situations = []struct {
	name   string
	routed bool
	reach  func(*testing.T, *world)
}{
	{"initial", false, func(_ *testing.T, w *world) { w.do(Begin, "") }},
	{"healthy", false, func(_ *testing.T, w *world) { w.run(Begin, nil) }},
	{"degraded", false, func(_ *testing.T, w *world) {
		w.broken["web:1"] = true
		w.run(Begin, func(Next) bool { return w.ro.Status.Phase == v1alpha1.RolloutPhaseDegraded })
	}},
	{"progressing", true, func(_ *testing.T, w *world) { w.next(); w.do(Begin, "") }},
	{"paused", true, func(_ *testing.T, w *world) { w.next(); w.run(Begin, at(Pause)) }},
	{"paused-by-pods", false, func(_ *testing.T, w *world) { w.next(); w.run(Begin, at(Pause)) }},
	{"manually-paused", true, func(_ *testing.T, w *world) {
		w.next()
		w.run(Begin, at(Pause))
		w.ro.Spec.Paused, w.ro.Generation = true, w.ro.Generation+1
		w.do(Pause, "")
	}},
	{"analysing", true, func(_ *testing.T, w *world) { w.next(); w.run(Begin, at(Analyze)) }},
	{"inconclusive", true, func(_ *testing.T, w *world) { w.next(); w.judge(v1alpha1.AnalysisPhaseInconclusive) }},
	{"aborted", true, func(_ *testing.T, w *world) {
		w.next()
		w.judge(v1alpha1.AnalysisPhaseFailed)
		w.run(Rollback, nil)
	}},
	{"retried", true, func(_ *testing.T, w *world) {
		w.next()
		w.judge(v1alpha1.AnalysisPhaseFailed)
		w.run(Rollback, nil)
		w.stage, w.why = Running, ""
		w.run(Begin, at(Pause))
	}},
	{"promoted", true, func(_ *testing.T, w *world) {
		w.next()
		w.judge(v1alpha1.AnalysisPhaseSuccessful)
		w.run(Analyze, func(n Next) bool { return n.Task == ScaleDown && n.After == 30*time.Second })
	}},
}

// next makes web:1 stable and web:2 the one to roll out.
func (w *world) next() {
	w.run(Begin, nil)
	w.image("web:2")
}

// judge goes on to the analysis and lets it end.
func (w *world) judge(phase v1alpha1.AnalysisPhase) {
	next := w.run(Begin, at(Analyze))
	w.runs = append(w.runs, Run{Name: next.Measure[0].Name, Phase: phase, Message: "metric success-rate assessed " + string(phase)})
	if next = w.do(Analyze, next.Hash); next.Task == Rollback {
		w.why = next.Reason
	}
}

func TestTheStatusIsWhatThePluginReads(t *testing.T) {
	for _, s := range situations {
		w := newWorld(t, withServices(canaryRollout(4, weightStep(25), pauseStep(60), analysisStep(), weightStep(50)), s.routed))
		s.reach(t, w)
		got, err := json.MarshalIndent(w.ro.Status, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		file := filepath.Join("testdata", "status", s.name+".json")
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: %s", s.name, diff)
		}
	}
}

func TestPhases(t *testing.T) {
	condition := func(typ v1alpha1.RolloutConditionType, reason string) []v1alpha1.RolloutCondition {
		return []v1alpha1.RolloutCondition{{Type: typ, Reason: reason, Message: "why"}}
	}
	now := metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	done := v1alpha1.RolloutStatus{UpdatedReplicas: 2, AvailableReplicas: 2, Replicas: 2, StableRS: "a", CurrentPodHash: "a"}
	for _, c := range []struct {
		name   string
		change func(*v1alpha1.RolloutSpec, *v1alpha1.RolloutStatus)
		want   string
	}{
		{"healthy", func(*v1alpha1.RolloutSpec, *v1alpha1.RolloutStatus) {}, "Healthy "},
		{"an invalid spec wins", func(_ *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) {
			s.Conditions = condition(v1alpha1.InvalidSpec, "InvalidSpec")
		}, "Degraded InvalidSpec: why"},
		{"aborted", func(p *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) {
			p.Paused = true
			s.Conditions = condition(v1alpha1.RolloutProgressing, reasonAborted)
		}, "Degraded RolloutAborted: why"},
		{"timed out", func(_ *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) {
			s.Conditions = condition(v1alpha1.RolloutProgressing, reasonTimedOut)
		}, "Degraded ProgressDeadlineExceeded: why"},
		{"paused by the spec", func(p *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) {
			p.Paused = true
			s.PauseConditions = []v1alpha1.PauseCondition{{Reason: v1alpha1.PauseReasonCanaryPauseStep}}
		}, "Paused manually paused"},
		{"paused by a step", func(_ *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) {
			s.PauseConditions = []v1alpha1.PauseCondition{{Reason: v1alpha1.PauseReasonCanaryPauseStep}}
			s.UpdatedReplicas = 1
		}, "Paused CanaryPauseStep"},
		{"restarting", func(p *v1alpha1.RolloutSpec, _ *v1alpha1.RolloutStatus) { p.RestartAt = &now }, "Progressing rollout is restarting"},
		{"restarted", func(p *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) { p.RestartAt, s.RestartedAt = &now, &now }, "Healthy "},
		{"few updated", func(_ *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) { s.UpdatedReplicas = 1 }, "Progressing more replicas need to be updated"},
		{"few available", func(_ *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) { s.AvailableReplicas = 1 }, "Progressing updated replicas are still becoming available"},
		{"old ones left", func(_ *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) { s.Replicas = 3 }, "Progressing old replicas are pending termination"},
		{"old ones left beside a router", func(p *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) {
			p.Strategy.Canary.TrafficRouting = &v1alpha1.RolloutTrafficRouting{}
			s.Replicas = 3
		}, "Healthy "},
		{"not promoted", func(_ *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) { s.StableRS = "b" }, "Progressing waiting for all steps to complete"},
		{"no stable", func(_ *v1alpha1.RolloutSpec, s *v1alpha1.RolloutStatus) { s.StableRS = "" }, "Progressing waiting for all steps to complete"},
	} {
		spec, status := canaryRollout(2).Spec, *done.DeepCopy()
		c.change(&spec, &status)
		p, message := phase(&spec, &status)
		if got := string(p) + " " + message; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestProgressDeadlineAborts(t *testing.T) {
	ro := withServices(canaryRollout(2, weightStep(50), pauseStep(3600)), true)
	limit := int32(60)
	ro.Spec.ProgressDeadlineSeconds, ro.Spec.ProgressDeadlineAbort = &limit, true
	w := started(t, ro)
	w.image("web:2")
	w.broken["web:2"] = true
	next := w.run(Begin, nil)
	if want := "has timed out progressing."; next.Task != RolledBack || !strings.Contains(w.ro.Status.Message, want) {
		t.Errorf("%+v %s", next, w.ro.Status.Message)
	}
	w.image("web:3") // a pause is longer than the deadline and no lack of progress
	if next = w.run(Begin, nil); next.Task != Succeeded {
		t.Errorf("%+v; %s", next, w)
	}
}

func TestARestartEvictsOldPodsAFewAtATime(t *testing.T) {
	w := started(t, canaryRollout(4))
	at := metav1.NewTime(w.now.Add(-time.Minute))
	w.ro.Spec.RestartAt = &at
	ready := func(yes bool, name string, age time.Duration) *corev1.Pod {
		status := corev1.ConditionFalse
		if yes {
			status = corev1.ConditionTrue
		}
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(w.now.Add(-age))},
			Status:     corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: status}}},
		}
	}
	for _, c := range []struct {
		name string
		pods []*corev1.Pod
		want string
		done bool
	}{
		{"all serve: one may be missing", []*corev1.Pod{ready(true, "a", time.Hour), ready(true, "b", 2*time.Hour), ready(true, "c", time.Hour), ready(true, "d", time.Second)}, "b ", false},
		{"one is missing", []*corev1.Pod{ready(true, "a", time.Hour), ready(true, "b", 2*time.Hour), ready(true, "c", time.Hour), ready(false, "d", time.Second)}, "", false},
		{"one that does not serve goes at once", []*corev1.Pod{ready(true, "a", time.Hour), ready(true, "b", 2*time.Hour), ready(true, "c", time.Hour), ready(false, "d", time.Hour)}, "d ", false},
		{"all are new", []*corev1.Pod{ready(true, "a", time.Second)}, "", true},
	} {
		in := w.in(Ready, "")
		in.Pods = c.pods
		changes, _, err := Decide(in)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, p := range changes.Evict {
			got += p.Name + " "
		}
		if got != c.want || (changes.Status != nil && changes.Status.RestartedAt != nil) != c.done {
			t.Errorf("%s: evicts %q, want %q; %+v", c.name, got, c.want, changes.Status)
		}
	}
}
