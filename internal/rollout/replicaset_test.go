package rollout

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

func TestAReplicaSetIsMadeAsArgoRolloutsMakesIt(t *testing.T) {
	w := newWorld(t, canaryRollout(3))
	w.ro.Annotations = map[string]string{"team": "shop", revisionNote: "7", "kubectl.kubernetes.io/last-applied-configuration": "{}", "slipway.dev/digest": "sha256:a"}
	w.ro.Spec.MinReadySeconds = 5
	c, _, err := Decide(w.in(Begin, ""))
	if err != nil || len(c.Create) != 1 {
		t.Fatalf("%+v %v", c, err)
	}
	rs := c.Create[0]
	yes := true
	want := metav1.ObjectMeta{
		Name: "web-cb5d95cc5", Namespace: "shop", Labels: map[string]string{"app": "web", "rollouts-pod-template-hash": "cb5d95cc5"},
		Annotations:     map[string]string{"team": "shop", revisionNote: "1", desiredNote: "3", templateNote: rs.Annotations[templateNote]},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "argoproj.io/v1alpha1", Kind: "Rollout", Name: "web", UID: "u-1", Controller: &yes, BlockOwnerDeletion: &yes}},
	}
	if diff := cmp.Diff(want, rs.ObjectMeta); diff != "" {
		t.Error(diff)
	}
	if got := rs.Spec.Selector.MatchLabels; !cmp.Equal(got, want.Labels) || !cmp.Equal(rs.Spec.Template.Labels, want.Labels) || rs.Spec.MinReadySeconds != 5 || wanted(rs) != 3 {
		t.Errorf("%+v", rs.Spec)
	}
	if c.Revision != "1" {
		t.Errorf("the Rollout's revision: %q", c.Revision)
	}
}

func TestAnExistingReplicaSetIsTakenForItsTemplate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*world, *appsv1.ReplicaSet)
		made   string // name of one that is made instead
	}{
		{"as it was left", func(*world, *appsv1.ReplicaSet) {}, ""},
		{"an orphan", func(_ *world, rs *appsv1.ReplicaSet) { rs.OwnerReferences = nil }, ""},
		{"of another Rollout", func(_ *world, rs *appsv1.ReplicaSet) { rs.OwnerReferences[0].UID = "u-2" }, "web-7bbcdb6c58"},
		{"that is being deleted", func(w *world, rs *appsv1.ReplicaSet) { rs.DeletionTimestamp = &metav1.Time{Time: w.now} }, "web-7bbcdb6c58"},
		{"of another template with the same hash", func(_ *world, rs *appsv1.ReplicaSet) {
			rs.Annotations[templateNote] = "sha256:b"
			rs.Spec.Template.Spec.Containers[0].Image = "web:0"
		}, "web-7bbcdb6c58"},
		{"that Argo Rollouts made", func(_ *world, rs *appsv1.ReplicaSet) { delete(rs.Annotations, templateNote) }, ""},
		{"whose template, with what was filled in, is the Rollout's again", func(w *world, rs *appsv1.ReplicaSet) {
			rs.Spec.Template.Spec.DNSPolicy = "ClusterFirst"
			template := rs.Spec.Template.DeepCopy()
			delete(template.Labels, hashLabel)
			w.ro.Spec.Template = *template
		}, ""},
		{"whose hash another version computed", func(_ *world, rs *appsv1.ReplicaSet) { rs.Labels[hashLabel] = "abc"; rs.Name = "web-abc" }, ""},
		{"that Argo made by another version", func(w *world, rs *appsv1.ReplicaSet) {
			rs.Labels[hashLabel] = "abc"
			rs.Name = "web-abc"
			delete(rs.Annotations, templateNote)
			w.ro.Status.CurrentPodHash, w.ro.Status.ObservedGeneration = "abc", "1"
		}, ""},
		{"of an older template by another version", func(w *world, rs *appsv1.ReplicaSet) {
			rs.Labels[hashLabel] = "abc"
			rs.Name = "web-abc"
			delete(rs.Annotations, templateNote)
			w.ro.Status.CurrentPodHash, w.ro.Status.ObservedGeneration = "abc", "0"
			rs.Spec.Template.Spec.Containers[0].Image = "web:0"
		}, "web-cb5d95cc5"},
	} {
		w := started(t, canaryRollout(2))
		rs := w.set("web:1")
		old := rs.Name
		c.change(w, rs)
		delete(w.sets, old)
		w.sets[rs.Name] = rs
		changes, next, err := Decide(w.in(Begin, ""))
		if err != nil {
			t.Fatal(err)
		}
		made := ""
		if len(changes.Create) > 0 {
			made = changes.Create[0].Name
		}
		if made != c.made {
			t.Errorf("%s: makes %q, want %q (%+v)", c.name, made, c.made, next)
		}
		if c.name == "an orphan" && (len(changes.Update) != 1 || !ownedBy(w.ro, changes.Update[0])) {
			t.Errorf("%s is not adopted: %+v", c.name, changes.Update)
		}
	}
}

func TestHistoryKeepsTheNewestThatHoldNoPods(t *testing.T) {
	w := started(t, canaryRollout(1))
	two := int32(2)
	w.ro.Spec.RevisionHistoryLimit = &two
	for i := 2; i <= 6; i++ {
		w.image(fmt.Sprintf("web:%d", i))
		if next := w.run(Begin, nil); next.Task != Succeeded {
			t.Fatalf("%+v", next)
		}
	}
	w.do(Ready, "")
	var images []string
	for _, rs := range w.sets {
		images = append(images, rs.Spec.Template.Spec.Containers[0].Image)
	}
	slices.Sort(images)
	if want := []string{"web:4", "web:5", "web:6"}; !slices.Equal(images, want) {
		t.Errorf("left: %v", images)
	}
	w.ro = withServices(w.ro, false)
	w.services["web-canary"], w.services["web-stable"] = hashOf(w.set("web:4")), w.ro.Status.StableRS
	zero := int32(0)
	w.ro.Spec.RevisionHistoryLimit = &zero
	if c, _, err := Decide(w.in(Ready, "")); err != nil || len(c.Delete) != 1 || c.Delete[0].Name != w.set("web:5").Name {
		t.Errorf("deletes %v %v", c.Delete, err)
	}
}

func TestDelaysOfTheOldPods(t *testing.T) {
	seconds := func(n int32) *int32 { return &n }
	for _, c := range []struct {
		name  string
		delay func(*v1alpha1.CanaryStrategy)
		end   Task // of a promotion, or of a rollback
		after time.Duration
		left  int32 // pods that are still wanted in the first pass after the weight is 0
	}{
		{"promoted, 30 s by default", func(*v1alpha1.CanaryStrategy) {}, Promote, 30 * time.Second, 2},
		{"promoted, of the spec", func(s *v1alpha1.CanaryStrategy) { s.ScaleDownDelaySeconds = seconds(90) }, Promote, 90 * time.Second, 2},
		{"promoted, none", func(s *v1alpha1.CanaryStrategy) { s.ScaleDownDelaySeconds = seconds(0) }, Promote, 0, 0},
		{"promoted, none may stay", func(s *v1alpha1.CanaryStrategy) { s.ScaleDownDelayRevisionLimit = seconds(0) }, Promote, 0, 0},
		{"aborted, 30 s by default", func(*v1alpha1.CanaryStrategy) {}, Rollback, 30 * time.Second, 1},
		{"aborted, of the spec", func(s *v1alpha1.CanaryStrategy) { s.AbortScaleDownDelaySeconds = seconds(7) }, Rollback, 7 * time.Second, 1},
		{"aborted, left for ever", func(s *v1alpha1.CanaryStrategy) { s.AbortScaleDownDelaySeconds = seconds(0) }, Rollback, 0, 1},
	} {
		ro := withServices(canaryRollout(2, weightStep(50), pauseStep(0)), true)
		c.delay(ro.Spec.Strategy.Canary)
		w := started(t, ro)
		w.image("web:2")
		w.run(Begin, at(Pause))
		goes := w.set("web:2")
		if c.end == Promote {
			w.verb, w.verbStep = VerbPromote, 1
			goes = w.set("web:1")
		}
		task := map[Task]Task{Promote: Pause, Rollback: Rollback}[c.end]
		next := w.run(task, func(n Next) bool { return n.After >= 7*time.Second })
		if max(next.After, 0) != c.after || wanted(w.sets[goes.Name]) != c.left {
			t.Errorf("%s: waits %v with %d pods, want %v with %d (%+v)", c.name, next.After, wanted(w.sets[goes.Name]), c.after, c.left, next)
		}
	}
}

// The promotion of web:2 had moved the stable Service and not yet written its status when web:3 came: web:2 was then
// neither stable nor free to go, and nothing moved any more.
func TestAPromotionThatEndedBeforeItsStatusIsOne(t *testing.T) {
	w := started(t, withServices(canaryRollout(4), false))
	w.image("web:2")
	w.run(Begin, at(ScaleDown))
	w.ro.Status.StableRS, w.stage = hashOf(w.set("web:1")), Running
	w.image("web:3")
	if next := w.run(Begin, nil); next.Task != Succeeded || w.ro.Status.StableRS != hashOf(w.set("web:3")) {
		t.Errorf("%+v; %s", next, w)
	}
}
