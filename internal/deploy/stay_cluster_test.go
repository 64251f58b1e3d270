//go:build cluster

package deploy

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/app"
	"slipway/internal/ownership"
)

func (r *real) autoscaler(minimum int) *unstructured.Unstructured {
	return r.Object(fmt.Sprintf("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"+
		"spec: {minReplicas: %d, maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n", minimum))
}

func (r *real) replicas() int64 {
	r.t.Helper()
	n, _, err := unstructured.NestedInt64(r.get("Deployment.apps", "web").Object, "spec", "replicas")
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (r *real) image() string {
	r.t.Helper()
	l, _, err := nested(r.get("Deployment.apps", "web").Object, "spec", "template", "spec", "containers")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range l {
		if c, ok := c.(map[string]any); ok && c["name"] == "web" {
			return fmt.Sprint(c["image"])
		}
	}
	return ""
}

func (r *real) edit(group, plural, name, manager string, kind types.PatchType, patch string, sub ...string) {
	r.t.Helper()
	if _, err := r.At(plural+"."+group).Patch(r.t.Context(), name, kind, []byte(patch), metav1.PatchOptions{FieldManager: manager}, sub...); err != nil {
		r.t.Fatal(err)
	}
}

func (r *real) autoscale(minimum int) {
	r.t.Helper()
	if _, err := r.At("horizontalpodautoscalers.autoscaling").Create(r.t.Context(), r.autoscaler(minimum), metav1.CreateOptions{}); err != nil {
		r.t.Fatal(err)
	}
	r.Eventually("the autoscaler has scaled", func() bool { return r.replicas() >= int64(minimum) })
}

func (r *real) ship(text string) {
	r.t.Helper()
	r.push(map[string]string{"web.yaml": text})
	r.mustSync()
}

// A push that deploys a new image under load took a service from what its autoscaler had set to the number in git.
func TestASyncLeavesReplicasToTheAutoscaler(t *testing.T) {
	r := newReal(t)
	r.ship(deployment)
	r.autoscale(3)
	r.ship(strings.Replace(deployment, "1.27", "1.28", 1))
	if n, i := r.replicas(), r.image(); n != 3 || i != "nginx:1.28" {
		t.Errorf("after a new image: %d replicas of %s", n, i)
	}
	r.ship(strings.Replace(deployment, "replicas: 1", "replicas: 2", 1))
	if n := r.replicas(); n != 3 {
		t.Errorf("after another number in git: %d replicas", n)
	}
	if err := r.At("horizontalpodautoscalers.autoscaling").Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	r.ship(deployment)
	if n := r.replicas(); n != 1 {
		t.Errorf("after the autoscaler went: %d replicas", n)
	}
}

// Taking the replicas out of git is what the autoscaler's manual says. Our apply is their sole owner, so that an apply
// without them deletes them: 3 became 1, the default.
func TestReplicasThatLeaveGitStayUnderAnAutoscaler(t *testing.T) {
	r := newReal(t)
	r.ship(strings.Replace(deployment, "replicas: 1", "replicas: 3", 1))
	r.autoscale(1) // has no metrics, and nothing to do between 1 and 9
	for _, image := range []string{"1.27", "1.28"} {
		r.ship(strings.NewReplacer("  replicas: 1\n", "", "1.27", image).Replace(deployment))
		if n := r.replicas(); n != 3 {
			t.Errorf("%d replicas with image %s", n, image)
		}
	}
}

func TestAFirstCreationAppliesGitsReplicasUnderAnAutoscaler(t *testing.T) {
	r := newReal(t)
	hpa, err := r.autoscaler(1).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	r.push(map[string]string{"web.yaml": strings.Replace(deployment, "replicas: 1", "replicas: 2", 1), "hpa.json": string(hpa)})
	r.mustSync()
	if n := r.replicas(); n != 2 {
		t.Errorf("%d replicas", n)
	}
}

// What is merged was read before the write: an autoscaler may have come between.
func TestAnAutoscalerThatWritesMeanwhileIsNotUndone(t *testing.T) {
	r := newReal(t)
	r.ship(deployment)
	r.autoscale(3)
	var once sync.Once
	r.Before(func(write string) {
		if write == "apply Deployment/web" {
			once.Do(func() {
				r.edit("apps", "deployments", "web", "kube-controller-manager", types.MergePatchType, `{"spec":{"replicas":4}}`, "scale")
			})
		}
	})
	r.ship(strings.Replace(deployment, "1.27", "1.28", 1))
	if n, i := r.replicas(), r.image(); n != 4 || i != "nginx:1.28" {
		t.Errorf("%d replicas of %s", n, i)
	}
}

// Nothing else in the inventory tells that an object's replicas are not git's: once its autoscaler is gone, drift is to
// find them.
func TestMergedReplicasAreLeftToBeJudged(t *testing.T) {
	r := newReal(t)
	r.ship(deployment)
	r.autoscale(3)
	r.ship(strings.Replace(deployment, "1.27", "1.28", 1))
	b, err := r.stores.Blobs.Get(t.Context(), r.record().Done.Inventory)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := decodeInventory(b)
	if err != nil {
		t.Fatal(err)
	}
	if m := inv[id("Deployment.apps", r.Namespace, "web")]; m.Generation != -1 || m.Entry == "" {
		t.Errorf("mark %+v", m)
	}
	r.Take()
	r.push(map[string]string{"web.yaml": strings.Replace(deployment, "1.27", "1.28", 1), "a.yaml": configMap("a", "k: v")})
	r.mustSync()
	r.wantWrites("apply ConfigMap/a")
}

// edited is what is live that git does not decide, in each way of naming it, and what must be there after a sync that
// respects it.
type edited struct {
	rule app.IgnoreDifference
	do   func(r *real)
	is   func(r *real) string
	// kept is after a sync that respects what is ignored, git after one that does not.
	kept, git string
}

const images = `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:theirs"}]}}}}`

func args(r *real) string {
	l, _, err := nested(r.get("Deployment.apps", "web").Object, "spec", "template", "spec", "containers")
	if err != nil || len(l) == 0 {
		return "none"
	}
	c, ok := l[len(l)-1].(map[string]any)
	if !ok {
		return "none"
	}
	return fmt.Sprint(c["args"])
}

func edits() map[string]edited {
	set := func(manager, patch string) func(r *real) {
		return func(r *real) { r.edit("apps", "deployments", "web", manager, types.StrategicMergePatchType, patch) }
	}
	about := func(d app.IgnoreDifference) app.IgnoreDifference {
		d.Group, d.Kind = "apps", "Deployment"
		return d
	}
	image := func(r *real) string { return r.image() }
	note := func(r *real) string { return r.get("Deployment.apps", "web").GetAnnotations()["team"] }
	return map[string]edited{
		"a value by JSON pointer":           {about(app.IgnoreDifference{JSONPointers: []string{"/spec/replicas"}}), set("ops", `{"spec":{"replicas":3}}`), func(r *real) string { return fmt.Sprint(r.replicas()) }, "3", "1"},
		"an image by JSON pointer":          {about(app.IgnoreDifference{JSONPointers: []string{"/spec/template/spec/containers/0/image"}}), set("ops", images), image, "nginx:theirs", "nginx:1.27"},
		"an image by jq":                    {about(app.IgnoreDifference{JQPathExpressions: []string{`.spec.template.spec.containers[] | select(.name == "web").image`}}), set("ops", images), image, "nginx:theirs", "nginx:1.27"},
		"an image beside a sidecar, by jq":  {about(app.IgnoreDifference{JQPathExpressions: []string{`.spec.template.spec.containers[].image`}}), set("ops", `{"spec":{"template":{"spec":{"containers":[{"name":"a-mesh","image":"mesh"},{"name":"web","image":"nginx:theirs"}]}}}}`), image, "nginx:theirs", "nginx:1.27"},
		"what a manager has set":            {about(app.IgnoreDifference{ManagedFieldsManagers: []string{"image-updater"}}), set("image-updater", images), image, "nginx:theirs", "nginx:1.27"},
		"what another manager has set":      {about(app.IgnoreDifference{ManagedFieldsManagers: []string{"image-updater"}}), set("ops", images), image, "nginx:1.27", "nginx:1.27"},
		"all kinds of all groups":           {app.IgnoreDifference{Group: "*", Kind: "*", JSONPointers: []string{"/spec/replicas"}}, set("ops", `{"spec":{"replicas":3}}`), func(r *real) string { return fmt.Sprint(r.replicas()) }, "3", "1"},
		"another object":                    {app.IgnoreDifference{Group: "apps", Kind: "Deployment", Name: "other", JSONPointers: []string{"/spec/replicas"}}, set("ops", `{"spec":{"replicas":3}}`), func(r *real) string { return fmt.Sprint(r.replicas()) }, "1", "1"},
		"a list in one piece":               {about(app.IgnoreDifference{JSONPointers: []string{"/spec/template/spec/containers/0/args"}}), set("ops", `{"spec":{"template":{"spec":{"containers":[{"name":"web","args":["--theirs","--more"]}]}}}}`), args, "[--theirs --more]", "[--ours]"},
		"an item of a list in one piece":    {about(app.IgnoreDifference{JQPathExpressions: []string{".spec.template.spec.containers[0].args[0]"}}), set("ops", `{"spec":{"template":{"spec":{"containers":[{"name":"web","args":["--theirs","--more"]}]}}}}`), args, "[--theirs]", "[--ours]"},
		"a value that is gone":              {about(app.IgnoreDifference{JSONPointers: []string{"/metadata/annotations/team"}}), set("ops", `{"metadata":{"annotations":{"team":null}}}`), note, "", "shop"},
		"all annotations, with our own":     {about(app.IgnoreDifference{JSONPointers: []string{"/metadata/annotations"}}), set("ops", `{"metadata":{"annotations":{"team":"ops"}}}`), note, "ops", "shop"},
		"all labels and the pod's template": {about(app.IgnoreDifference{JSONPointers: []string{"/metadata/labels", "/spec/template"}}), set("ops", images), image, "nginx:theirs", "nginx:1.27"},
		"the whole object":                  {about(app.IgnoreDifference{JQPathExpressions: []string{"."}}), set("ops", images), image, "nginx:theirs", "nginx:1.27"},
	}
}

func TestASyncAndWhatIsIgnored(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("metadata: {name: web}", "metadata: {name: web, annotations: {team: shop}}", `env: [`, `args: ["--ours"], env: [`).Replace(deployment)
	for name, c := range edits() {
		for _, respect := range []bool{true, false} {
			want := c.git
			if respect {
				want = c.kept
			}
			t.Run(fmt.Sprintf("%s, respected %v", name, respect), func(t *testing.T) {
				t.Parallel()
				r := newReal(t)
				r.app.IgnoreDifferences = []app.IgnoreDifference{c.rule}
				r.app.Sync.RespectIgnoreDifferences = respect
				r.declare(r.app)
				r.ship(text)
				c.do(r)
				r.ship(strings.Replace(text, `value: "1"`, `value: "2"`, 1))
				if got := c.is(r); got != want {
					t.Errorf("%s, want %s", got, want)
				}
				u := r.get("Deployment.apps", "web")
				r.mine(u, `.metadata.annotations["slipway.dev/digest"]`, `.metadata.labels["slipway.dev/application"]`)
				e, _ := ownership.Ours(u.GetManagedFields())
				if p := ownership.Paths(e.FieldsV1); slices.ContainsFunc(p, func(s string) bool {
					return strings.Contains(s, "a-mesh") || strings.Contains(s, "revision") || strings.Contains(s, "imagePullPolicy")
				}) {
					t.Errorf("our applies own what others added: %q", p)
				}
				r.Take()
				r.push(map[string]string{"web.yaml": strings.Replace(text, `value: "1"`, `value: "2"`, 1), "a.yaml": configMap("a", "k: v")})
				r.mustSync()
				r.wantWrites("apply ConfigMap/a")
			})
		}
	}
}

// A diff says what a sync would do.
func TestADiffLeavesOutWhatASyncLeaves(t *testing.T) {
	r := newReal(t)
	r.app.IgnoreDifferences = []app.IgnoreDifference{{Group: "apps", Kind: "Deployment", JSONPointers: []string{"/spec/template/spec/containers/0/image"}}}
	r.app.Sync.RespectIgnoreDifferences = true
	r.declare(r.app)
	r.ship(deployment)
	r.autoscale(3)
	r.edit("apps", "deployments", "web", "ops", types.StrategicMergePatchType, images)
	r.push(map[string]string{"web.yaml": strings.Replace(deployment, `value: "1"`, `value: "2"`, 1)})
	d, err := r.deploy.Diff(t.Context(), r.app.Key())
	if err != nil || len(d) != 1 || len(d[0].Changes) != 1 || !strings.HasSuffix(d[0].Changes[0].Path, ".value") {
		for _, one := range d {
			t.Errorf("%s: %s, %s: %+v", one.ID, one.Action, one.Reason, one.Changes)
		}
		t.Fatal(err)
	}
}
