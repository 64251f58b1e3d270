package deploy

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/revision"
	"slipway/internal/state"
	"slipway/internal/state/statetest"
	"slipway/test/fetched"
	"slipway/test/server"
)

// world is one application, its state and its cluster in memory, both held to what the real ones do.
type world struct {
	t       *testing.T
	stores  state.Stores
	server  *server.Server
	cluster Cluster // in place of server
	deploy  *Deploy
	queue   *wakes
	app     app.Application
	commits int
}

const repo = fetched.Repository

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, stores: statetest.Memory(), server: server.New(), queue: &wakes{}}
	w.app = fetched.Application("shop", "production")
	w.deploy = w.run()
	w.declare(w.app)
	return w
}

// run is another process on the same state and cluster.
func (w *world) run() *Deploy {
	return New(Deps{Records: w.stores.Records, Registry: w.stores.Registry, Blobs: w.stores.Blobs, Renderer: fetched.Renderer{},
		Queue: w.queue, Owner: "test", Connect: func(context.Context, app.Destination) (Cluster, error) {
			if w.cluster != nil {
				return w.cluster, nil
			}
			return w.server, nil
		}})
}

// wakes is a queue that only remembers.
type wakes struct {
	woken []app.Name
	looks []app.Name
}

func (q *wakes) Wake(_ context.Context, n app.Name) error { q.woken = append(q.woken, n); return nil }
func (q *wakes) Look(_ context.Context, a app.Application) error {
	q.looks = append(q.looks, a.Key())
	return nil
}

func (w *world) declare(a app.Application) {
	w.t.Helper()
	w.app = a
	if err := w.stores.Registry.Put(w.t.Context(), app.Registered{Application: a}); err != nil {
		w.t.Fatal(err)
	}
}

// push makes files what is wanted, as fetch does.
func (w *world) push(files map[string]string) revision.SHA {
	w.t.Helper()
	w.commits++
	return fetched.Push(w.t, w.stores, w.app, w.commits, files)
}

func (w *world) sync() error { return w.deploy.Sync(w.t.Context(), w.app.Key(), false) }

func (w *world) mustSync() {
	w.t.Helper()
	if err := w.sync(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) record() record.Record {
	w.t.Helper()
	r, err := w.stores.Records.Get(w.t.Context(), w.app.Key())
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// configMap is a manifest, one key each line.
func configMap(name string, data ...string) string {
	return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\ndata:\n  " + strings.Join(data, "\n  ") + "\n"
}

func cm(name string) manifest.ID {
	return manifest.ID{Kind: "ConfigMap", Namespace: "production", Name: name}
}

func value(u *unstructured.Unstructured, key string) string {
	if u == nil {
		return ""
	}
	s, _, _ := unstructured.NestedString(u.Object, "data", key)
	return s
}

func configMapObject(name, key, val string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": name, "namespace": "production"}, "data": map[string]any{key: val}}}
}

// declared is Applications of these names.
func declared(names ...string) string {
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, "---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: %s\n  namespace: argocd\nspec:\n  project: default\n"+
			"  source:\n    repoURL: %s\n    path: apps/%s\n  destination:\n    name: in-cluster\n    namespace: production\n", n, repo, n)
	}
	return b.String()
}

// full is a queue that takes nothing.
type full struct{}

func (full) Wake(context.Context, app.Name) error {
	return fault.New(fault.Unavailable, "queue is full")
}
func (full) Look(context.Context, app.Application) error {
	return fault.New(fault.Unavailable, "queue is full")
}
