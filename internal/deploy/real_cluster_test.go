//go:build cluster

package deploy

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"slipway/internal/manifest"
	"slipway/internal/ownership"
	"slipway/test/cluster"
	"slipway/test/counted"
)

func TestMain(m *testing.M) { cluster.Main(m) }

// real is one application in a namespace of its own of a real cluster, and somebody else who works there too.
type real struct {
	*world
	*counted.Cluster
}

func newReal(t *testing.T) *real {
	t.Helper()
	c := counted.Connect(t)
	r := &real{world: newWorld(t), Cluster: c}
	r.world.cluster = c
	r.app.Name = strings.ToLower(r.Namespace) // the label must be this test's own
	r.app.Destination.Namespace = r.Namespace
	r.declare(r.app)
	return r
}

// get is a live object of the namespace, nil if there is none.
func (r *real) get(kind, name string) *unstructured.Unstructured {
	r.t.Helper()
	u, err := r.Get(r.t.Context(), id(kind, r.Namespace, name))
	if err != nil {
		return nil
	}
	return u
}

func id(kind, ns, name string) manifest.ID {
	gk := schema.ParseGroupKind(kind)
	return manifest.ID{Group: gk.Group, Kind: gk.Kind, Namespace: ns, Name: name}
}

func (r *real) data(name string) map[string]string {
	r.t.Helper()
	u := r.get("ConfigMap", name)
	if u == nil {
		return nil
	}
	m, _, _ := unstructured.NestedStringMap(u.Object, "data")
	return m
}

func (r *real) configMaps() dynamic.ResourceInterface { return r.At("configmaps") }

// patch is somebody's edit.
func (r *real) patch(name, manager, merge string) {
	r.t.Helper()
	if _, err := r.configMaps().Patch(r.t.Context(), name, types.MergePatchType, []byte(merge), metav1.PatchOptions{FieldManager: manager}); err != nil {
		r.t.Fatal(err)
	}
}

// mine fails unless our applies own exactly what was sent, and nobody else owns anything but status.
func (r *real) mine(u *unstructured.Unstructured, want ...string) {
	r.t.Helper()
	e, ok := ownership.Ours(u.GetManagedFields())
	if !ok {
		r.t.Fatalf("%s has no Apply entry of ours: %v", u.GetName(), u.GetManagedFields())
	}
	paths := ownership.Paths(e.FieldsV1)
	for _, p := range want {
		if !slices.Contains(paths, p) {
			r.t.Errorf("%s: %s is not ours, but %v is", u.GetName(), p, paths)
		}
	}
	for _, e := range u.GetManagedFields() {
		if e.Manager == manifest.Manager && e.Operation == metav1.ManagedFieldsOperationUpdate {
			r.t.Errorf("%s: an Update entry under our name: fields would live for ever", u.GetName())
		}
	}
}

func (r *real) notes() string { return strings.Join(r.record().History[0].Notes, "\n") }

func nested(o map[string]any, path ...string) ([]any, bool, error) {
	return unstructured.NestedSlice(o, path...)
}

// clusterObject is YAML without a namespace.
func (r *real) clusterObject(text string) *unstructured.Unstructured {
	u := r.Object(text)
	unstructured.RemoveNestedField(u.Object, "metadata", "namespace")
	return u
}

// contextOf lives on in clean-ups, for a while.
func contextOf(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}
