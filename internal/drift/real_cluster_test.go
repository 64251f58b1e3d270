//go:build cluster

package drift

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	"slipway/internal/kube"
	"slipway/internal/manifest"
	"slipway/test/cluster"
)

func TestMain(m *testing.M) { cluster.Main(m) }

// real is a world in a namespace of its own of a real cluster, and others who work there too.
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
	c := &counted{Cluster: k}
	r := &real{counted: c, ns: cluster.Namespace(t), others: others}
	r.world = newWorld(t, r.ns, c, c)
	return r
}

// counted is a cluster that remembers what was written, dry runs apart.
type counted struct {
	*kube.Cluster
	mu     sync.Mutex
	writes []string
}

func (c *counted) wrote(op string, id manifest.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes = append(c.writes, fmt.Sprintf("%s %s/%s", op, id.Kind, id.Name))
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

func (c *counted) Patch(ctx context.Context, id manifest.ID, uid types.UID, rv string, ops []byte) (*unstructured.Unstructured, error) {
	c.wrote("patch", id)
	return c.Cluster.Patch(ctx, id, uid, rv, ops)
}

// at is the resource of a plural such as deployments.apps, in the test's namespace.
func (r *real) at(plural string) dynamic.ResourceInterface {
	name, group, _ := strings.Cut(plural, ".")
	version := "v1"
	switch {
	case group == "autoscaling":
		version = "v2"
	case strings.HasPrefix(group, "v1beta1."):
		version, group = "v1beta1", strings.TrimPrefix(group, "v1beta1.")
	}
	return r.others.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: name}).Namespace(r.ns)
}

func (r *real) must(_ *unstructured.Unstructured, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *real) get(plural, name string) *unstructured.Unstructured {
	r.t.Helper()
	u, err := r.at(plural).Get(r.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	return u
}

// merge, strategic and ops are `kubectl patch` of the three types, under a manager's name.
func (r *real) merge(plural, name, manager, patch string, sub ...string) {
	r.t.Helper()
	r.must(r.at(plural).Patch(r.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager}, sub...))
}

func (r *real) strategic(plural, name, manager, patch string) {
	r.t.Helper()
	r.must(r.at(plural).Patch(r.t.Context(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager}))
}

func (r *real) ops(plural, name, manager, patch string) {
	r.t.Helper()
	r.must(r.at(plural).Patch(r.t.Context(), name, types.JSONPatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager}))
}

// edit is `kubectl edit` or replace: the whole object is sent back. A controller may have written meanwhile.
func (r *real) edit(plural, name, manager string, change func(o map[string]any)) {
	r.t.Helper()
	r.eventually("an update without a conflict", func() bool {
		u := r.get(plural, name)
		change(u.Object)
		_, err := r.at(plural).Update(r.t.Context(), u, metav1.UpdateOptions{FieldManager: manager})
		if err != nil && !strings.Contains(err.Error(), "the object has been modified") {
			r.t.Fatal(err)
		}
		return err == nil
	})
}

// apply is `kubectl apply --server-side --force-conflicts`.
func (r *real) apply(plural, manager, text string) {
	r.t.Helper()
	u := r.object(text)
	r.must(r.at(plural).Apply(r.t.Context(), u.GetName(), u, metav1.ApplyOptions{FieldManager: manager, Force: true}))
}

func (r *real) create(plural, manager, text string) {
	r.t.Helper()
	r.must(r.at(plural).Create(r.t.Context(), r.object(text), metav1.CreateOptions{FieldManager: manager}))
}

func (r *real) delete(plural, name string) {
	r.t.Helper()
	policy := metav1.DeletePropagationBackground
	if err := r.at(plural).Delete(r.t.Context(), name, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
		r.t.Fatal(err)
	}
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

// eventually waits for what controllers do.
func (r *real) eventually(what string, is func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 60*time.Second)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			r.t.Fatalf("in 60 s not: %s", what)
		case <-again.C:
		}
	}
}

// field is a live value by path, as text; "" if it is not there.
func (r *real) field(plural, name, path string) string {
	r.t.Helper()
	u, err := r.at(plural).Get(r.t.Context(), name, metav1.GetOptions{})
	if err == nil && slices.Equal(u.GetFinalizers(), []string{metav1.FinalizerDeleteDependents}) { // the collector takes a moment
		r.eventually(name+" is gone", func() bool {
			u, err = r.at(plural).Get(r.t.Context(), name, metav1.GetOptions{})
			return err != nil
		})
	}
	if err != nil {
		return "gone"
	}
	s, ok := locate(u.Object, path)
	if !ok {
		return ""
	}
	return fmt.Sprint(value(u.Object, s))
}

func (r *real) want(what string, got, want []string) {
	r.t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		r.t.Errorf("%s: -want +got\n%s", what, d)
	}
}
