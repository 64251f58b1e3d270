//go:build cluster

package deploy

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// makers are the ways by which an object comes into a cluster before git takes it over.
var makers = map[string]func(*real, *unstructured.Unstructured){
	"us": func(r *real, _ *unstructured.Unstructured) {
		r.push(map[string]string{"a.yaml": configMap("a", "k: v1", "gone: x")})
		r.mustSync()
	},
	"kubectl create":        func(r *real, u *unstructured.Unstructured) { r.create(u, "kubectl-create", false) },
	"kubectl apply":         func(r *real, u *unstructured.Unstructured) { r.create(u, "kubectl-client-side-apply", true) },
	"kubectl apply, twice":  func(r *real, u *unstructured.Unstructured) { r.applied(u, "kubectl-client-side-apply") },
	"Argo CD, client-side":  func(r *real, u *unstructured.Unstructured) { r.applied(u, "argocd-controller") },
	"Argo CD, server-side":  func(r *real, u *unstructured.Unstructured) { r.serverSide(u, "argocd-controller") },
	"kubectl --server-side": func(r *real, u *unstructured.Unstructured) { r.serverSide(u, "kubectl") },
}

func (r *real) create(u *unstructured.Unstructured, manager string, annotate bool) {
	r.t.Helper()
	if annotate {
		b, err := u.MarshalJSON()
		if err != nil {
			r.t.Fatal(err)
		}
		u.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": string(b)})
	}
	if _, err := r.configMaps().Create(r.t.Context(), u, metav1.CreateOptions{FieldManager: manager}); err != nil {
		r.t.Fatal(err)
	}
}

// applied is created and then patched, as client-side apply does.
func (r *real) applied(u *unstructured.Unstructured, manager string) {
	r.create(u, manager, true)
	r.patch(u.GetName(), manager, `{"data":{"later":"x"}}`)
}

func (r *real) serverSide(u *unstructured.Unstructured, manager string) {
	r.t.Helper()
	if _, err := r.configMaps().Apply(r.t.Context(), u.GetName(), u, metav1.ApplyOptions{FieldManager: manager, Force: true}); err != nil {
		r.t.Fatal(err)
	}
}

func TestAFieldThatLeftGitGoesWhoeverMadeTheObject(t *testing.T) {
	for maker, make := range makers {
		t.Run(maker, func(t *testing.T) {
			r := newReal(t)
			make(r, r.Object("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v1, gone: x}\n"))
			before := r.get("ConfigMap", "a").GetUID()
			r.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
			r.mustSync()
			if got := r.data("a"); len(got) != 1 || got["k"] != "v2" {
				t.Errorf("data is %v, want k alone", got)
			}
			a := r.get("ConfigMap", "a")
			if a.GetUID() != before {
				t.Error("the object was made anew")
			}
			if n := a.GetAnnotations()["kubectl.kubernetes.io/last-applied-configuration"]; n != "" {
				t.Errorf("kubectl's annotation stays, and its next apply would undo ours: %s", n)
			}
			r.mine(a, ".data.k")
			if len(a.GetManagedFields()) != 1 {
				t.Errorf("managed fields are %v", a.GetManagedFields())
			}
		})
	}
}

func TestWhatAnotherManagerKeepsIsNamed(t *testing.T) {
	r := newReal(t)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1", "both: x")})
	r.mustSync()
	r.serverSide(r.Object("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {both: x}\n"), "team-tool")
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	if !strings.Contains(r.notes(), "/a: .data.both kept by team-tool") {
		t.Errorf("the notes are %q", r.notes())
	}
	if r.data("a")["both"] != "x" {
		t.Errorf("data is %v", r.data("a"))
	}
}

func TestALabelThatSomebodyRemovedIsFoundByTheConflict(t *testing.T) {
	r := newReal(t)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	r.patch("a", "somebody", `{"metadata":{"labels":null}}`)
	uid := r.get("ConfigMap", "a").GetUID()
	r.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	r.mustSync()
	a := r.get("ConfigMap", "a")
	if r.data("a")["k"] != "v2" || a.GetLabels()[manifest.Label] == "" || a.GetUID() != uid {
		t.Errorf("a is %v", a)
	}
}

func TestAnEditByHandIsUndoneByTheNextSync(t *testing.T) {
	r := newReal(t)
	files := map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1"), "c.yaml": configMap("c", "k: v1")}
	r.push(files)
	r.mustSync()
	r.Take()
	r.patch("a", "kubectl-edit", `{"data":{"k":"by hand"}}`)
	r.patch("b", "kubectl-edit", `{"data":{"k":"v1"}}`)     // the same value: nothing to undo
	r.patch("c", "kubectl-edit", `{"data":{"added":"v1"}}`) // stays theirs
	for name, want := range map[string]string{"a": OutOfSync, "b": Synced, "c": Synced} {
		if got := r.resources()[name]; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if d := r.diff(); len(d) != 1 || d["a"].Changes[0] != (manifest.Change{Path: ".data.k", Old: "by hand", New: "v1"}) {
		t.Errorf("the diff is %+v", d)
	}
	r.request()
	r.mustSync()
	r.wantWrites("apply ConfigMap/a")
	if r.data("a")["k"] != "v1" || r.data("c")["added"] != "v1" {
		t.Errorf("a is %v, c is %v", r.data("a"), r.data("c"))
	}
}

func TestTwoApplicationsDoNotTakeFromEachOther(t *testing.T) { // security P5
	r := newReal(t)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	other := r.app
	other.Name += "-other"
	r.declare(other)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v2"), "b.yaml": configMap("b", "k: v2")})
	r.Take()
	for _, label := range []string{"with its label", "without"} {
		if err := r.sync(); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "it belongs to application") {
			t.Errorf("%s: the error is %v", label, err)
		}
		r.wantWrites()
		r.patch("a", "somebody", `{"metadata":{"labels":null}}`)
	}
}

func TestAnObjectOfAControllerIsNotOursEvenIfItHasOurEntry(t *testing.T) {
	r := newReal(t)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	r.mustSync()
	owner := r.get("ConfigMap", "a")
	b := []byte(`{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"a","controller":true,"uid":"` + string(owner.GetUID()) + `"}]}}`)
	if _, err := r.configMaps().Patch(t.Context(), "b", types.MergePatchType, b, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	r.Take()
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	r.wantWrites()
	if r.get("ConfigMap", "b") == nil {
		t.Error("b was pruned")
	}
}
