//go:build cluster

package deploy

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

func (r *real) wantWrites(want ...string) {
	r.t.Helper()
	slices.Sort(want)
	if d := cmp.Diff(want, r.Take()); d != "" {
		r.t.Errorf("writes: %s", d)
	}
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.27", env: [{name: A, value: "1"}]}
`

func TestARealClusterGetsWhatIsWantedAndNothingTwice(t *testing.T) {
	r := newReal(t)
	files := map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1"), "web.yaml": deployment}
	r.push(files)
	r.mustSync()
	r.wantWrites("apply ConfigMap/a", "apply ConfigMap/b", "apply Deployment/web")
	r.mine(r.get("ConfigMap", "a"), ".data.k", `.metadata.labels["slipway.dev/application"]`)
	r.mine(r.get("Deployment.apps", "web"), `.spec.template.spec.containers[name="web"].image`)
	if h := r.record().History[0]; h.Outcome != record.Applied || h.Applied != 3 || h.Unchanged != 0 {
		t.Errorf("the record says %+v", h)
	}
	r.Eventually("the Deployment's controller has written its status and annotation", func() bool {
		return r.get("Deployment.apps", "web").GetAnnotations()["deployment.kubernetes.io/revision"] == "1"
	})
	files["a.yaml"] = configMap("a", "k: v2")
	r.push(files)
	r.mustSync()
	r.wantWrites("apply ConfigMap/a")
	if h := r.record().History[0]; h.Applied != 1 || h.Unchanged != 2 {
		t.Errorf("the record says %+v", h)
	}
	if got := r.data("a")["k"]; got != "v2" {
		t.Errorf("k is %q", got)
	}
}

func TestARealObjectThatLeftGitIsPruned(t *testing.T) {
	r := newReal(t)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "web.yaml": deployment})
	r.mustSync()
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	r.Take()
	r.mustSync()
	if w := slices.Compact(r.Take()); len(w) != 1 || w[0] != "delete Deployment/web" { // again after each 409: its controller writes too
		t.Errorf("writes: %q", w)
	}
	r.Eventually("the Deployment and its dependents are gone", func() bool { return r.get("Deployment.apps", "web") == nil })
}

func TestAPrunedObjectThatComesBackWhileItIsBeingDeletedIsMadeAnew(t *testing.T) {
	r := newReal(t)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	r.mustSync()
	r.patch("b", "somebody", `{"metadata":{"finalizers":["example.com/wait"]}}`)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	if err := r.sync(); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "still being deleted") {
		t.Fatalf("the error is %v", err)
	}
	old := r.get("ConfigMap", "b").GetUID()
	r.patch("b", "somebody", `{"metadata":{"finalizers":null}}`)
	r.mustSync()
	if b := r.get("ConfigMap", "b"); b == nil || b.GetUID() == old {
		t.Errorf("b is %v", b)
	}
}

func TestWhatTheAPIServerRefusesIsNamedAndNothingIsWritten(t *testing.T) {
	for name, tt := range map[string]struct{ file, want string }{
		"a Deployment without a selector": {strings.Replace(deployment, "  selector: {matchLabels: {app: web}}\n", "", 1), "spec.selector"},
		"an unknown field":                {strings.Replace(deployment, "replicas", "replica", 1), "replica"},
		"a value that is not allowed":     {strings.Replace(deployment, "replicas: 1", "replicas: -1", 1), "spec.replicas"},
		"a bad name":                      {strings.Replace(deployment, "name: web}\nspec", "name: Web_}\nspec", 1), "Web_"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReal(t)
			r.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "web.yaml": tt.file})
			err := r.sync()
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "apps/shop/web.yaml: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v", err)
			}
			r.wantWrites()
		})
	}
}

func TestAnImmutableFieldIsRefusedByTheDryRun(t *testing.T) {
	r := newReal(t)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "web.yaml": deployment})
	r.mustSync()
	r.Take()
	r.push(map[string]string{"a.yaml": configMap("a", "k: v2"), "web.yaml": strings.ReplaceAll(deployment, "app: web", "app: other")})
	if err := r.sync(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "immutable") {
		t.Errorf("the error is %v", err)
	}
	r.wantWrites()
	if rec := r.record(); rec.Pending() || rec.History[0].Outcome != record.RefusedRun {
		t.Errorf("the record says %+v", rec.History[0])
	}
}

func TestASecretWithStringDataIsSentOnceAndNeverShown(t *testing.T) {
	r := newReal(t)
	secret := "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: VALUE}\n"
	r.push(map[string]string{"s.yaml": strings.Replace(secret, "VALUE", "hunter2-first", 1)})
	r.mustSync()
	r.wantWrites("apply Secret/s")
	r.push(map[string]string{"s.yaml": strings.Replace(secret, "VALUE", "hunter2-first", 1), "a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	r.wantWrites("apply ConfigMap/a")
	r.push(map[string]string{"s.yaml": strings.Replace(secret, "VALUE", "hunter2-second", 1), "a.yaml": configMap("a", "k: v1")})
	d := r.diff()["s"]
	if len(d.Changes) != 1 || d.Changes[0].Path != ".data.password" || strings.Contains(d.Changes[0].New.(string), "aHVudGVy") { //nolint:forcetypeassert,errcheck // a test
		t.Errorf("the difference is %+v", d)
	}
	r.push(map[string]string{"s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: '!hunter2-third!'}\n", "a.yaml": configMap("a", "k: v1")})
	err := r.sync()
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("the error is %v", err)
	}
	if h := r.record().History[0]; strings.Contains(err.Error()+h.Reason, "hunter2-third") {
		t.Errorf("the reason shows the value: %s", h.Reason)
	}
}

func TestDuplicateNamesInAListAreSentOnceWithAWarning(t *testing.T) {
	r := newReal(t)
	r.push(map[string]string{"web.yaml": strings.Replace(deployment, `{name: A, value: "1"}`, `{name: A, value: "1"}, {name: A, value: "2"}`, 1)})
	r.mustSync()
	if !strings.Contains(r.notes(), "apps/shop/web.yaml") || !strings.Contains(r.notes(), "env") {
		t.Errorf("the notes are %q", r.notes())
	}
	containers, _, _ := nested(r.get("Deployment.apps", "web").Object, "spec", "template", "spec", "containers")
	if d := cmp.Diff([]any{map[string]any{"name": "A", "value": "2"}}, containers[0].(map[string]any)["env"]); d != "" { //nolint:forcetypeassert,errcheck // a test
		t.Error(d)
	}
}

func TestKindsThatHoldOthersStayWithoutAnAnnotation(t *testing.T) {
	r := newReal(t)
	claim := "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: NAME, annotations: {NOTE}}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n"
	make := func(name, note string) string {
		return strings.NewReplacer("NAME", name, "NOTE", note).Replace(claim)
	}
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "p.yaml": make("p", ""), "q.yaml": make("q", manifest.AllowPruneNote+`: "true"`), "r.yaml": make("r", syncOptions+": Prune=false")})
	r.mustSync()
	r.Take()
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	r.wantWrites("delete PersistentVolumeClaim/q")
	for _, n := range []string{"p", "r"} {
		if !strings.Contains(r.notes(), "/"+n+" is no longer in git and stays") {
			t.Errorf("the notes are %q", r.notes())
		}
	}
}

func TestCopiesOfOurLabelAreNotOurs(t *testing.T) { // a Service's labels go to its EndpointSlices
	r := newReal(t)
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
	r.push(map[string]string{"web.yaml": service, "a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	slices := r.At("endpointslices.discovery.k8s.io")
	label := manifest.Label + "=" + manifest.LabelFor(string(r.app.Key()))
	r.Eventually("an EndpointSlice with our label", func() bool {
		l, err := slices.List(t.Context(), metav1.ListOptions{LabelSelector: label})
		return err == nil && len(l.Items) == 1
	})
	if err := r.stores.Records.Delete(t.Context(), r.app.Key()); err != nil { // so that every kind is listed
		t.Fatal(err)
	}
	r.Take()
	r.push(map[string]string{"web.yaml": service})
	r.mustSync()
	r.wantWrites("apply Service/web", "delete ConfigMap/a")
	r.Eventually("a is gone", func() bool { return r.get("ConfigMap", "a") == nil })
	if l, err := slices.List(t.Context(), metav1.ListOptions{LabelSelector: label}); err != nil || len(l.Items) != 1 {
		t.Errorf("%v, %v", l, err)
	}
	for _, res := range r.resources() {
		if res == "Extra" {
			t.Errorf("a copy counts as ours: %v", r.resources())
		}
	}
}
