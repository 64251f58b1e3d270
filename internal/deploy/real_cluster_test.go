//go:build cluster

package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	"slipway/internal/kube"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
	"slipway/test/cluster"
)

func TestMain(m *testing.M) { cluster.Main(m) }

// real is one application in a namespace of its own of a real cluster, and somebody else who works there too.
type real struct {
	*world
	*counted
	ns     string
	others dynamic.Interface
}

func newReal(t *testing.T) *real {
	t.Helper()
	k, err := kube.Connect(app.Cluster{Name: "real", Kubeconfig: cluster.Kubeconfig()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	others, err := dynamic.NewForConfig(cluster.Admin(t))
	if err != nil {
		t.Fatal(err)
	}
	r := &real{world: newWorld(t), counted: &counted{Cluster: k}, ns: cluster.Namespace(t), others: others}
	r.world.cluster = r.counted
	r.app.Name = strings.ToLower(r.ns) // the label must be this test's own
	r.app.Destination.Namespace = r.ns
	r.declare(r.app)
	return r
}

// counted is a cluster that remembers what was written, dry runs apart.
type counted struct {
	*kube.Cluster
	mu     sync.Mutex
	writes []string
	before func(write string) // called before each write is sent
}

func (c *counted) wrote(op string, id manifest.ID) {
	c.mu.Lock()
	w := fmt.Sprintf("%s %s %s", op, id.Kind, id.Name)
	c.writes = append(c.writes, w)
	before := c.before
	c.mu.Unlock()
	if before != nil {
		before(w)
	}
}

func (c *counted) take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.writes
	c.writes = nil
	slices.Sort(w)
	return w
}

func (c *counted) Apply(ctx context.Context, u *unstructured.Unstructured, dry bool) (*unstructured.Unstructured, []string, error) {
	if !dry {
		c.wrote("apply", manifest.IDOf(u))
	}
	return c.Cluster.Apply(ctx, u, dry)
}

func (c *counted) Adopt(ctx context.Context, id manifest.ID, uid types.UID, rv string, e []metav1.ManagedFieldsEntry) (string, error) {
	c.wrote("adopt", id)
	return c.Cluster.Adopt(ctx, id, uid, rv, e)
}

func (c *counted) Delete(ctx context.Context, id manifest.ID, uid types.UID, rv string) error {
	c.wrote("delete", id)
	return c.Cluster.Delete(ctx, id, uid, rv)
}

// get is a live object of the namespace, nil if there is none.
func (r *real) get(kind, name string) *unstructured.Unstructured {
	r.t.Helper()
	u, err := r.counted.Get(r.t.Context(), id(kind, r.ns, name))
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

func (r *real) configMaps() dynamic.ResourceInterface { return r.resource("", "v1", "configmaps") }

func (r *real) resource(group, version, resource string) dynamic.ResourceInterface {
	return r.others.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: resource}).Namespace(r.ns)
}

// object is YAML in the test's namespace.
func (r *real) object(text string) *unstructured.Unstructured {
	r.t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
		r.t.Fatal(err)
	}
	u.SetNamespace(r.ns)
	return u
}

// patch is somebody's edit.
func (r *real) patch(name, manager, merge string) {
	r.t.Helper()
	if _, err := r.configMaps().Patch(r.t.Context(), name, types.MergePatchType, []byte(merge), metav1.PatchOptions{FieldManager: manager}); err != nil {
		r.t.Fatal(err)
	}
}

// eventually waits for what controllers do.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("in 30 s not: %s", what)
		case <-again.C:
		}
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

// log is what was written since the last take, in order.
func (c *counted) log() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.writes)
}

// clusterObject is YAML without a namespace.
func (r *real) clusterObject(text string) *unstructured.Unstructured {
	u := r.object(text)
	unstructured.RemoveNestedField(u.Object, "metadata", "namespace")
	return u
}

// contextOf lives on in clean-ups, for a while.
func contextOf(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}
