//go:build cluster

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/test/cluster"
	"slipway/test/e2e/up"
)

// world is one test's: a running `slipway up`, a repository whose folder `root` declares the applications, a namespace.
type world struct {
	*up.Process
	*up.Repo
	t    *testing.T
	ns   string
	kube *dynamic.DynamicClient
	rest *rest.Config
}

// given starts a world in the shared cluster.
func given(t *testing.T, set ...func(*up.Options)) *world {
	t.Helper()
	w := &world{t: t, ns: cluster.Namespace(t), rest: cluster.Admin(t)}
	o := up.Options{Kubeconfig: cluster.Kubeconfig(), Root: "myorg/config:root"}
	for _, f := range set {
		f(&o)
	}
	w.kube = dynamic.NewForConfigOrDie(w.rest)
	w.Process = up.Start(t, o)
	w.Repo = w.Process.Repo("myorg/config")
	return w
}

// on is the same world for a subtest.
func (w *world) on(t *testing.T) *world {
	c := *w
	c.t, c.Process = t, w.Process.On(t)
	return &c
}

// app is the full name of one of the test's applications. It ends as the namespace does, so that no two tests share a
// label in the cluster.
func (w *world) app(short string) app.Name {
	return app.Name("argocd/" + short + w.ns[strings.LastIndex(w.ns, "-"):])
}

// short is its name without the namespace.
func (w *world) short(short string) string {
	return strings.TrimPrefix(string(w.app(short)), "argocd/")
}

// declare writes an Application that deploys the folder SHORT to the test's namespace by itself; each edit is a pair
// of texts to replace.
func (w *world) declare(short string, edits ...string) {
	text := fmt.Sprintf(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: %s
  namespace: argocd
spec:
  project: default
  source:
    repoURL: %s
    targetRevision: main
    path: %s
  destination:
    server: https://kubernetes.default.svc
    namespace: %s
  syncPolicy:
    automated:
      prune: true
      selfHeal: true
`, w.short(short), w.URL(), short, w.ns)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			w.t.Fatalf("declaration of %s has no %q", short, edits[i])
		}
		text = strings.ReplaceAll(text, edits[i], edits[i+1])
	}
	w.Write(map[string]string{"root/" + short + ".yaml": text})
}

// applied waits until all of these applications have applied what is at commit sha.
func (w *world) applied(sha string, short ...string) {
	w.t.Helper()
	for _, s := range short {
		w.Awaits(w.app(s), up.Seen, "declared", there)
		w.Applied(w.app(s), sha)
	}
}

var (
	configMaps      = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	services        = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	pods            = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	secrets         = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	namespaces      = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	deployments     = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	endpointSlices  = schema.GroupVersionResource{Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"}
	customResources = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// get reads an object of the test's namespace; it must be there.
func (w *world) get(r schema.GroupVersionResource, name string) *unstructured.Unstructured {
	w.t.Helper()
	u, err := w.kube.Resource(r).Namespace(w.ns).Get(w.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// gone waits until an object of the test's namespace is not there.
func (w *world) gone(r schema.GroupVersionResource, name string) {
	w.t.Helper()
	up.Until(w.t, up.Seen, name+" is gone", func() (struct{}, bool, string) {
		_, err := w.kube.Resource(r).Namespace(w.ns).Get(w.t.Context(), name, metav1.GetOptions{})
		return struct{}{}, apierrors.IsNotFound(err), fmt.Sprint(err)
	})
}

// data is a ConfigMap's data.
func (w *world) data(name string) map[string]string {
	w.t.Helper()
	m, _, err := unstructured.NestedStringMap(w.get(configMaps, name).Object, "data")
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// labelled lists, by discovery and kind by kind, every object in the cluster that carries an application's label, as
// "Kind name". EndpointSlices are left out: their controller copies the label of their Service.
func (w *world) labelled(name app.Name) []string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	lists, err := discovery.NewDiscoveryClientForConfigOrDie(w.rest).ServerPreferredResources()
	if err != nil && len(lists) == 0 {
		w.t.Fatal(err)
	}
	client := metadata.NewForConfigOrDie(w.rest)
	var out []string
	for _, l := range lists {
		gv, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range l.APIResources {
			if !slices.Contains(r.Verbs, "list") || slices.Contains([]string{"EndpointSlice", "Endpoints", "ComponentStatus"}, r.Kind) {
				continue
			}
			items, err := client.Resource(gv.WithResource(r.Name)).List(ctx, metav1.ListOptions{LabelSelector: manifest.Label + "=" + manifest.LabelFor(string(name))})
			if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) { // another test's CRD that has just gone
				continue
			}
			if err != nil {
				w.t.Fatalf("list %s: %v", r.Name, err)
			}
			for _, m := range items.Items {
				if m.DeletionTimestamp == nil { // deleted in the foreground: the collector takes a moment
					out = append(out, r.Kind+" "+m.Name)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
