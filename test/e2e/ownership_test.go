//go:build cluster

package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"slipway/internal/manifest"
	"slipway/test/e2e/up"
)

// maker puts an object into the cluster as another tool does: its field manager, its verb, its annotations.
type maker struct {
	name string
	make func(w *world, r schema.GroupVersionResource, u *unstructured.Unstructured) error
}

var makers = []maker{
	{"us", nil},
	{"kubectl-create", posted("kubectl-create", false)},
	{"kubectl-apply", posted("kubectl-client-side-apply", true)},
	{"kubectl-apply-server-side", sent("kubectl")},
	{"argocd-client-side", posted("argocd-controller", true)},
	{"argocd-old", posted("argocd-application-controller", true)},
	{"argocd-server-side", sent("argocd-controller")},
}

// posted is a POST by that manager, with kubectl's annotation of what was applied or without it.
func posted(manager string, annotated bool) func(*world, schema.GroupVersionResource, *unstructured.Unstructured) error {
	return func(w *world, r schema.GroupVersionResource, u *unstructured.Unstructured) error {
		if annotated {
			b, err := json.Marshal(u.Object)
			if err != nil {
				return err
			}
			u.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": string(b) + "\n"})
		}
		_, err := w.kube.Resource(r).Namespace(w.ns).Create(w.t.Context(), u, metav1.CreateOptions{FieldManager: manager})
		return err
	}
}

// sent is a server-side apply by that manager.
func sent(manager string) func(*world, schema.GroupVersionResource, *unstructured.Unstructured) error {
	return func(w *world, r schema.GroupVersionResource, u *unstructured.Unstructured) error {
		b, err := yaml.Marshal(u.Object)
		if err != nil {
			return err
		}
		force := true
		_, err = w.kube.Resource(r).Namespace(w.ns).Patch(w.t.Context(), u.GetName(), types.ApplyPatchType, b, metav1.PatchOptions{FieldManager: manager, Force: &force})
		return err
	}
}

// A field removed from git is gone from the cluster, whoever has made the object, and whether git ever had the field or
// was without it when it took the object over.
func TestAFieldRemovedFromGitIsGoneWhoeverMadeTheObject(t *testing.T) {
	t.Parallel()
	w := given(t)
	w.declare("adopt")
	var all []adopted
	write := func(o adopted, gone bool) {
		pairs := []string{"kept", "a", "gone", "b"}
		if gone {
			pairs = pairs[:2]
		}
		w.Write(map[string]string{"adopt/" + o.object + ".yaml": configMap(o.object, pairs...) + "---\n" + deployment(o.object, 0, "web:1", pairs...)})
	}
	for _, m := range makers {
		for _, later := range []bool{true, false} {
			o := adopted{m.name + map[bool]string{true: "-later", false: "-at-once"}[later], later}
			if m.make == nil && !later {
				continue
			}
			all = append(all, o)
			write(o, !later)
			if m.make == nil {
				continue
			}
			for r, text := range map[schema.GroupVersionResource]string{
				configMaps: configMap(o.object, "kept", "a", "gone", "b"), deployments: deployment(o.object, 0, "web:1", "kept", "a", "gone", "b"),
			} {
				if err := m.make(w, r, object(t, text)); err != nil {
					t.Fatalf("%s: %v", o.object, err)
				}
			}
		}
	}
	w.applied(w.Push("Take over"), "adopt")
	for _, o := range all {
		o.sees(w, o.later)
		write(o, true)
	}
	w.applied(w.Push("Without the field"), "adopt")
	for _, o := range all {
		o.sees(w, false)
	}
	for _, n := range w.Application(w.app("adopt")).Last.Notes {
		if strings.Contains(n, "kept by") {
			t.Errorf("noted: %s", n)
		}
	}
}

// adopted is a ConfigMap and a Deployment of one name.
type adopted struct {
	object string
	later  bool // git has the field first
}

// sees holds both against git: the field is there or not, and what stays is there.
func (o adopted) sees(w *world, there bool) {
	w.t.Helper()
	data := w.data(o.object)
	var env []string
	containers, _, _ := unstructured.NestedSlice(w.get(deployments, o.object).Object, "spec", "template", "spec", "containers")
	for _, c := range containers {
		m, _ := c.(map[string]any)
		list, _, _ := unstructured.NestedSlice(m, "env")
		for _, e := range list {
			v, _ := e.(map[string]any)
			env = append(env, fmt.Sprint(v["name"]))
		}
	}
	if _, got := data["gone"]; got != there || data["kept"] != "a" {
		w.t.Errorf("ConfigMap %s has %v", o.object, data)
	}
	if slices.Contains(env, "gone") != there || !slices.Contains(env, "kept") {
		w.t.Errorf("Deployment %s has variables %v", o.object, env)
	}
}

// EndpointSlices carry the label of their Service. They are neither pruned, nor adopted, nor written.
func TestEndpointSlicesThatCopyOurLabelAreNeverTouched(t *testing.T) {
	t.Parallel()
	w := given(t)
	w.declare("web")
	settings := func(n int) map[string]string {
		return map[string]string{"web/settings.yaml": configMap("settings", "n", fmt.Sprint(n))}
	}
	w.Write(map[string]string{"web/web.yaml": deployment("web", 2, "web:1") + "---\n" + service("web")})
	w.Write(settings(0))
	w.applied(w.Push("A Service with endpoints"), "web")
	settledPods(w, "web", 2)
	before := w.slice(2)
	if before.GetLabels()[manifest.Label] != manifest.LabelFor(string(w.app("web"))) {
		t.Fatalf("the EndpointSlice has labels %v: this test sees nothing", before.GetLabels())
	}
	for n := 1; n <= 3; n++ {
		w.Write(settings(n))
		w.applied(w.Push(fmt.Sprint("Settings ", n)), "web")
		if after := w.slice(2); after.GetUID() != before.GetUID() || after.GetResourceVersion() != before.GetResourceVersion() {
			t.Fatalf("sync %d has touched the EndpointSlice: %s", n, after.GetManagedFields())
		}
	}
	// Without a state the kinds are found by asking for all: the EndpointSlice is listed with ours, and left alone.
	w.Stop()
	removeState(w)
	w.Again()
	w.Write(settings(4))
	w.applied(w.Push("Settings 4"), "web")
	after := w.slice(2)
	if after.GetUID() != before.GetUID() {
		t.Error("the EndpointSlice was deleted and made anew")
	}
	for _, e := range after.GetManagedFields() {
		if e.Manager == manifest.Manager {
			t.Errorf("written by us: %s", e.FieldsV1)
		}
	}
	// The Service goes; its EndpointSlice goes by its owner reference, not by us.
	w.Write(map[string]string{"web/web.yaml": deployment("web", 2, "web:1")})
	w.applied(w.Push("Without the Service"), "web")
	w.gone(services, "web")
	if run := w.Application(w.app("web")).Last; run.Pruned != 1 {
		t.Errorf("%d objects pruned, want the Service alone", run.Pruned)
	}
	w.gone(endpointSlices, after.GetName())
}

// slice waits for the Service's EndpointSlice with n ready endpoints.
func (w *world) slice(n int) *unstructured.Unstructured {
	w.t.Helper()
	return up.Until(w.t, up.Seen, "EndpointSlice", func() (*unstructured.Unstructured, bool, string) {
		list, err := w.kube.Resource(endpointSlices).Namespace(w.ns).List(w.t.Context(), metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=web"})
		if err != nil || len(list.Items) != 1 {
			return nil, false, fmt.Sprint(err)
		}
		u := &list.Items[0]
		ends, _, _ := unstructured.NestedSlice(u.Object, "endpoints")
		ready := slices.DeleteFunc(ends, func(e any) bool {
			m, ok := e.(map[string]any)
			if !ok {
				return true
			}
			is, _, _ := unstructured.NestedBool(m, "conditions", "ready")
			return !is
		})
		return u, len(ready) == n, fmt.Sprintf("%d endpoints are ready", len(ready))
	})
}
