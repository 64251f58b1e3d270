package rollout

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// canaryRollout is the Rollout shop/web without steps.
func canaryRollout(replicas int32, steps ...v1alpha1.CanaryStep) *v1alpha1.Rollout {
	return &v1alpha1.Rollout{
		TypeMeta:   metav1.TypeMeta{APIVersion: "argoproj.io/v1alpha1", Kind: "Rollout"},
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "u-1", Generation: 1},
		Spec: v1alpha1.RolloutSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web:1"}}},
			},
			Strategy: v1alpha1.RolloutStrategy{Canary: &v1alpha1.CanaryStrategy{Steps: steps}},
		},
	}
}

func weightStep(w int32) v1alpha1.CanaryStep { return v1alpha1.CanaryStep{SetWeight: &w} }
func pauseStep(seconds int) v1alpha1.CanaryStep {
	p := &v1alpha1.RolloutPause{}
	if seconds > 0 {
		p.Duration = v1alpha1.DurationFromInt(seconds)
	}
	return v1alpha1.CanaryStep{Pause: p}
}

func analysisStep() v1alpha1.CanaryStep {
	return v1alpha1.CanaryStep{Analysis: &v1alpha1.RolloutAnalysis{Templates: []v1alpha1.AnalysisTemplateRef{{TemplateName: "success-rate"}}}}
}

// withServices gives a Rollout its two Services, and a router where routed.
func withServices(ro *v1alpha1.Rollout, routed bool) *v1alpha1.Rollout {
	c := ro.Spec.Strategy.Canary
	c.CanaryService, c.StableService = "web-canary", "web-stable"
	if routed {
		c.TrafficRouting = &v1alpha1.RolloutTrafficRouting{Plugins: map[string]json.RawMessage{gatewayPlugin: json.RawMessage(`{"httpRoute":"web"}`)}}
	}
	return ro
}

// world is a cluster as far as a rollout sees one, with a ReplicaSet controller in it, and the record of the rollout.
type world struct {
	t        *testing.T
	ro       *v1alpha1.Rollout
	sets     map[string]*appsv1.ReplicaSet
	pods     map[string][]*pod // by ReplicaSet
	services map[string]string
	weight   int32
	verified bool
	runs     []Run
	now      time.Time
	stage    Stage
	verb     Verb
	verbStep int32
	why      string
	broken   map[string]bool // images whose pods never become ready
	visited  []Task
	tries    int
	last     Changes
}

type pod struct {
	readyAt time.Time
	dead    bool
}

func newWorld(t *testing.T, ro *v1alpha1.Rollout) *world {
	return &world{
		t: t, ro: ro, sets: map[string]*appsv1.ReplicaSet{}, pods: map[string][]*pod{}, broken: map[string]bool{}, verified: true,
		services: map[string]string{"web-canary": "", "web-stable": ""}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), stage: Running,
	}
}

func (w *world) in(task Task, hash string) In {
	return In{
		Task: task, Stage: w.stage, Verb: w.verb, VerbStep: w.verbStep, Hash: hash, Why: w.why, Rollout: w.ro.DeepCopy(),
		ReplicaSets: w.list(), Services: maps.Clone(w.services), Weight: w.weight, Verified: w.verified, Runs: slices.Clone(w.runs), Tries: w.tries, Now: w.now,
	}
}

func (w *world) list() []*appsv1.ReplicaSet {
	var out []*appsv1.ReplicaSet
	for _, name := range slices.Sorted(maps.Keys(w.sets)) {
		out = append(out, w.sets[name].DeepCopy())
	}
	return out
}

// apply writes changes in their order, the first n writes of them.
func (w *world) apply(c Changes, n int) {
	write := func(f func()) {
		if n > 0 {
			f()
		}
		n--
	}
	if c.Weight != nil {
		write(func() { w.weight, w.verified = *c.Weight, false })
	}
	for _, s := range c.Select {
		write(func() { w.services[s.Service] = s.Hash })
	}
	for _, rs := range c.Create {
		write(func() {
			rs = rs.DeepCopy()
			rs.UID, rs.CreationTimestamp = types.UID("uid-"+rs.Name), metav1.NewTime(w.now)
			w.sets[rs.Name] = rs
		})
	}
	for _, rs := range c.Update {
		write(func() {
			status := w.sets[rs.Name].Status
			w.sets[rs.Name] = rs.DeepCopy()
			w.sets[rs.Name].Status = status
		})
	}
	for _, rs := range c.Delete {
		write(func() { delete(w.sets, rs.Name); delete(w.pods, rs.Name) })
	}
	if c.Revision != "" {
		write(func() { w.ro.Annotations = map[string]string{revisionNote: c.Revision} })
	}
	if c.UnpauseSpec {
		write(func() { w.ro.Spec.Paused = false; w.ro.Generation++ })
	}
	if c.Status != nil {
		write(func() { w.ro.Status = *c.Status.DeepCopy() })
	}
	for _, name := range c.Terminate {
		write(func() {
			for i := range w.runs {
				if w.runs[i].Name == name {
					w.runs[i].Phase = v1alpha1.AnalysisPhaseSuccessful
				}
			}
		})
	}
}

// pass lets time go by: pods come, get ready and go, and the router takes its weight.
func (w *world) pass(by time.Duration) {
	w.now = w.now.Add(by)
	w.verified = true
	for name, rs := range w.sets {
		have := w.pods[name]
		for int32(len(have)) < wanted(rs) {
			have = append(have, &pod{readyAt: w.now.Add(2 * time.Second)})
		}
		image := rs.Spec.Template.Spec.Containers[0].Image
		ready := func(p *pod) bool { return !p.dead && !w.broken[image] && !w.now.Before(p.readyAt) }
		slices.SortStableFunc(have, func(a, b *pod) int { // a ReplicaSet deletes pods that are not ready first
			switch {
			case ready(a) == ready(b):
				return 0
			case ready(a):
				return -1
			}
			return 1
		})
		have = have[:wanted(rs)]
		w.pods[name] = have
		n := int32(0)
		for _, p := range have {
			if ready(p) {
				n++
			}
		}
		rs.Status = appsv1.ReplicaSetStatus{Replicas: int32(len(have)), ReadyReplicas: n, AvailableReplicas: n, ObservedGeneration: rs.Generation}
	}
}

// do runs one task as its Lambda does: claim, read, decide, write.
func (w *world) do(task Task, hash string) Next {
	w.t.Helper()
	if task == Promote && w.stage == Running { // its claim writes PROMOTING on condition RUNNING and no verb (rule 9)
		if w.verb == VerbAbort {
			return Next{Task: Rollback, Hash: hash}
		}
		w.stage = Promoting
	}
	c, next, err := Decide(w.in(task, hash))
	if err != nil {
		w.t.Fatalf("%s: %v", task, err)
	}
	if c.Status != nil && c.Status.Abort && task == Rollback {
		w.stage = Aborting // before the first write (rule 11)
	}
	w.last = c
	w.apply(c, 1000)
	return next
}

// run drives an execution until it ends, or until stop says so, and returns how.
func (w *world) run(task Task, stop func(Next) bool) Next {
	w.t.Helper()
	hash := ""
	for range 400 {
		w.visited = append(w.visited, task)
		next := w.do(task, hash)
		hash = next.Hash
		if next.Reason != "" && next.Task == Rollback && w.why == "" {
			w.why = next.Reason
		}
		if ended(next) {
			w.stage, w.verb = Running, ""
			return next
		}
		if stop != nil && stop(next) {
			return next
		}
		if next.Task == task {
			w.tries++
		} else {
			w.tries = 0
		}
		w.pass(max(next.After, time.Second))
		task = next.Task
		if task == Pause && next.After > 0 {
			task = SetWeight
		}
	}
	w.t.Fatalf("did not end: %v", w.visited[max(0, len(w.visited)-20):])
	return Next{}
}

// image changes the template, as a commit does.
func (w *world) image(image string) {
	w.ro.Spec.Template.Spec.Containers[0].Image = image
	w.ro.Generation++
	w.visited, w.tries, w.why = nil, 0, ""
}

// set is the ReplicaSet of an image.
func (w *world) set(image string) *appsv1.ReplicaSet {
	for _, rs := range w.sets {
		if rs.Spec.Template.Spec.Containers[0].Image == image {
			return rs
		}
	}
	w.t.Helper()
	w.t.Fatalf("no ReplicaSet of %s", image)
	return nil
}

func (w *world) String() string {
	out := fmt.Sprintf("step %s weight %d services %v stage %s phase %s %q abort %v;", step(&w.ro.Status), w.weight, w.services, w.stage, w.ro.Status.Phase, w.ro.Status.Message, w.ro.Status.Abort)
	for _, rs := range w.list() {
		out += fmt.Sprintf(" %s %s wants %d has %d deadline %q", rs.Name, rs.Spec.Template.Spec.Containers[0].Image, wanted(rs), rs.Status.AvailableReplicas, rs.Annotations[deadlineNote])
	}
	return out
}

func ended(n Next) bool {
	return slices.Contains([]Task{Succeeded, RolledBack, RollbackFailed, Superseded}, n.Task)
}
