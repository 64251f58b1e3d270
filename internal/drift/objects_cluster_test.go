//go:build cluster

package drift

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/app"
	"slipway/internal/manifest"
)

func TestObjectsThatGoComeOrChangeHands(t *testing.T) {
	t.Parallel()
	byUs := func(r *real, name string) {
		r.apply(configMaps, "slipway", strings.NewReplacer("NAME", name, "LABEL", manifest.LabelFor(string(r.app.Key())), "APP", string(r.app.Key())).Replace(
			"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n  labels: {slipway.dev/application: LABEL}\n  annotations: {slipway.dev/application: APP}\ndata: {k: v}\n"))
	}
	runAll(t, []act{
		{
			name: "kubectl delete", do: func(r *real) { r.delete(configMaps, "a") },
			want: []string{"Missing ConfigMap/a"}, live: []string{"configmaps a .data.k = v1"}, writes: []string{"apply ConfigMap/a"},
		},
		{
			name: "kubectl delete of a Deployment with pods", do: func(r *real) { r.delete(deployments, "web") },
			want: []string{"Missing Deployment/web"}, live: []string{"deployments.apps web .spec.replicas = 1"},
		},
		{
			name: "deleted and made again by hand with another value", do: func(r *real) {
				r.delete(configMaps, "a")
				r.create(configMaps, "kubectl-create", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: other, j: v1}\n")
			},
			want: []string{
				"Drifted ConfigMap/a .data.k by kubectl-create", "Drifted ConfigMap/a .metadata.annotations by nobody", "Drifted ConfigMap/a .metadata.labels by nobody",
			},
			live: []string{"configmaps a .data.k = v1"},
		},
		{
			name: "deleted and made again by hand with another value of an immutable field", stays: true, do: func(r *real) {
				r.delete(deployments, "web")
				r.create(deployments, "kubectl-create", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"+
					"spec: {selector: {matchLabels: {app: other}}, template: {metadata: {labels: {app: other}}, spec: {containers: [{name: web, image: x}]}}}\n")
			},
			want: []string{"Unknown Deployment/web"}, then: []string{"not healed: Unknown Deployment/web"}, writes: []string{},
		},
		{
			name: "a finalizer keeps a deleted object", stays: true, do: func(r *real) {
				r.merge(configMaps, "a", "operator", `{"metadata":{"finalizers":["example.com/stuck"]}}`)
				r.delete(configMaps, "a")
				r.t.Cleanup(func() {
					_, _ = r.At(configMaps).Patch(context.Background(), "a", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
				})
			},
			want: []string{"Unknown ConfigMap/a"}, then: []string{"not healed: Unknown ConfigMap/a"}, writes: []string{},
		},
		{
			name: "our label is removed", do: func(r *real) {
				r.merge(configMaps, "a", "kubectl-label", `{"metadata":{"labels":{"slipway.dev/application":null}}}`)
			},
			want: []string{`Drifted ConfigMap/a .metadata.labels["slipway.dev/application"] by nobody`},
		},
		{
			name: "our annotations are removed", do: func(r *real) {
				r.merge(configMaps, "a", "kubectl-annotate", `{"metadata":{"annotations":{"slipway.dev/application":null,"slipway.dev/digest":null}}}`)
			},
			want: []string{
				`Drifted ConfigMap/a .metadata.annotations["slipway.dev/application"] by nobody`, `Drifted ConfigMap/a .metadata.annotations["slipway.dev/digest"] by nobody`,
			},
		},
		{
			name: "our annotation names another application", do: func(r *real) {
				r.merge(configMaps, "a", "kubectl-annotate", `{"metadata":{"annotations":{"slipway.dev/application":"argocd/other"}}}`)
			},
			want: []string{`Drifted ConfigMap/a .metadata.annotations["slipway.dev/application"] by kubectl-annotate`},
		},
		{
			name: "another application holds the object by now", stays: true, do: func(r *real) {
				u := r.get(configMaps, "a")
				u.SetManagedFields(nil)
				unstructuredRemove(u.Object, "metadata", "uid", "resourceVersion", "creationTimestamp")
				u.SetAnnotations(map[string]string{manifest.ApplicationNote: "argocd/other"})
				r.must(r.At(configMaps).Apply(r.t.Context(), "a", u, metav1.ApplyOptions{FieldManager: "slipway", Force: true}))
			},
			want: []string{"Unknown ConfigMap/a"}, then: []string{"not healed: Unknown ConfigMap/a"}, writes: []string{},
		},
		{
			name: "our label and annotations are copied to another object", do: func(r *real) {
				a := r.get(configMaps, "a")
				a.SetName("copy")
				a.SetManagedFields(nil)
				unstructuredRemove(a.Object, "metadata", "uid", "resourceVersion", "creationTimestamp")
				r.must(r.At(configMaps).Create(r.t.Context(), a, metav1.CreateOptions{FieldManager: "kubectl-create"}))
			},
			live: []string{"configmaps copy .data.k = v1"},
		},
		{
			name: "a controller's copy of our label, with everything applied under our name", do: func(r *real) {
				byUs(r, "owned")
				a := r.get(configMaps, "a")
				r.merge(configMaps, "owned", "controller", `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"a","uid":"`+string(a.GetUID())+`","controller":true}]}}`)
			},
			live: []string{"configmaps owned .data.k = v"},
		},
		{
			name: "what is ours and in no set is pruned", do: func(r *real) { byUs(r, "extra") },
			want: []string{"Extra ConfigMap/extra"}, live: []string{"configmaps extra .data.k = gone"}, writes: []string{"delete ConfigMap/extra"},
		},
		{
			name: "what is ours and in no set stays without prune", stays: true, app: func(a *app.Application) { a.Sync.Prune = false },
			do:   func(r *real) { byUs(r, "extra") },
			want: []string{"Extra ConfigMap/extra"}, then: []string{"not healed: Extra ConfigMap/extra"}, live: []string{"configmaps extra .data.k = v"}, writes: []string{},
		},
		{
			name: "what is ours and in no set stays with Prune=false", stays: true, do: func(r *real) {
				byUs(r, "extra")
				r.merge(configMaps, "extra", "kubectl-annotate", `{"metadata":{"annotations":{"argocd.argoproj.io/sync-options":"Prune=false"}}}`)
			},
			want: []string{"Extra ConfigMap/extra"}, then: []string{"not healed: Extra ConfigMap/extra"}, live: []string{"configmaps extra .data.k = v"}, writes: []string{},
		},
		{
			name: "more of ours in no set than may be pruned at once", stays: true, do: func(r *real) {
				for _, n := range strings.Fields("x01 x02 x03 x04 x05 x06 x07 x08 x09 x10 x11") {
					byUs(r, n)
				}
			},
			want: extras("Extra ConfigMap/x", 11), then: extras("not healed: Extra ConfigMap/x", 11), writes: []string{},
		},
		{
			name: "managed fields are wiped", do: func(r *real) {
				r.merge(deployments, "web", "kubectl-edit", `{"metadata":{"managedFields":[{}]}}`)
			},
			want: []string{"Drifted Deployment/web"},
		},
		{
			name: "managed fields of a Service are wiped, and a value changed", do: func(r *real) {
				r.strategic(services, "web", "kubectl-edit", `{"spec":{"ports":[{"port":80,"targetPort":9999}]}}`)
				r.merge(services, "web", "kubectl-edit", `{"metadata":{"managedFields":[{}]}}`)
			},
			want: []string{`Drifted Service/web .spec.ports[name="http"].targetPort by nobody`},
			live: []string{`services web .spec.ports[0].targetPort = 8080`},
		},
		{
			name: "a controller adopts an object of ours", stays: true, do: func(r *real) {
				web := r.get(deployments, "web")
				r.merge(configMaps, "a", "controller", `{"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"web","uid":"`+string(web.GetUID())+`","controller":true}]}}`)
			},
			want: []string{"Unknown ConfigMap/a"}, then: []string{"not healed: Unknown ConfigMap/a"}, writes: []string{},
		},
	})
}

func extras(head string, n int) (out []string) {
	for i := range n {
		out = append(out, head+string(rune('0'+(i+1)/10))+string(rune('0'+(i+1)%10)))
	}
	return out
}

func unstructuredRemove(o map[string]any, parent string, keys ...string) {
	m, _ := o[parent].(map[string]any)
	for _, k := range keys {
		delete(m, k)
	}
}

// A namespace that goes takes everything with it; it comes back where the set or CreateNamespace=true brings it.
func TestADeletedNamespaceComesBackWithWhatIsInIt(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]bool{"from the set": true, "by CreateNamespace": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReal(t)
			ns := "x-" + r.Namespace[max(0, len(r.Namespace)-40):]
			text := strings.ReplaceAll(configMap("a", "k: v1"), "name: a", "name: a\n  namespace: "+ns)
			if own {
				text = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: " + ns + "}\n" + text
			} else {
				r.declare(func(a *app.Application) { a.Sync.CreateNamespace, a.Destination.Namespace = true, ns })
			}
			r.selfHeal()
			r.sync(text)
			r.Namespace = ns
			namespaces := r.Others.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
			t.Cleanup(func() { _ = namespaces.Delete(context.Background(), ns, metav1.DeleteOptions{}) })
			old := r.get(configMaps, "a").GetUID()
			if err := namespaces.Delete(t.Context(), ns, metav1.DeleteOptions{}); err != nil {
				t.Fatal(err)
			}
			r.Eventually("both are there again, though nothing can be made while it goes", func() bool {
				r.sweep()
				a, err := r.At(configMaps).Get(t.Context(), "a", metav1.GetOptions{})
				return err == nil && a.GetUID() != old
			})
			r.want("after the heal", found(r.sweep()), nil)
		})
	}
}
