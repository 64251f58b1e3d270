//go:build cluster

package drift

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"slipway/test/cluster"
	"slipway/test/counted"
)

func TestMain(m *testing.M) { cluster.Main(m) }

// real is a world in a namespace of its own of a real cluster, and others who work there too.
type real struct {
	*world
	*counted.Cluster
}

func newReal(t *testing.T) *real {
	t.Helper()
	c := counted.Connect(t)
	return &real{world: newWorld(t, c.Namespace, c, c), Cluster: c}
}

func (r *real) must(_ *unstructured.Unstructured, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *real) get(plural, name string) *unstructured.Unstructured {
	r.t.Helper()
	u, err := r.At(plural).Get(r.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	return u
}

// merge, strategic and ops are `kubectl patch` of the three types, under a manager's name.
func (r *real) merge(plural, name, manager, patch string, sub ...string) {
	r.t.Helper()
	r.must(r.At(plural).Patch(r.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager}, sub...))
}

func (r *real) strategic(plural, name, manager, patch string) {
	r.t.Helper()
	r.must(r.At(plural).Patch(r.t.Context(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager}))
}

func (r *real) ops(plural, name, manager, patch string) {
	r.t.Helper()
	r.must(r.At(plural).Patch(r.t.Context(), name, types.JSONPatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager}))
}

// edit is `kubectl edit` or replace: the whole object is sent back. A controller may have written meanwhile.
func (r *real) edit(plural, name, manager string, change func(o map[string]any)) {
	r.t.Helper()
	r.Eventually("an update without a conflict", func() bool {
		u := r.get(plural, name)
		change(u.Object)
		_, err := r.At(plural).Update(r.t.Context(), u, metav1.UpdateOptions{FieldManager: manager})
		if err != nil && !strings.Contains(err.Error(), "the object has been modified") {
			r.t.Fatal(err)
		}
		return err == nil
	})
}

// apply is `kubectl apply --server-side --force-conflicts`.
func (r *real) apply(plural, manager, text string) {
	r.t.Helper()
	u := r.Object(text)
	r.must(r.At(plural).Apply(r.t.Context(), u.GetName(), u, metav1.ApplyOptions{FieldManager: manager, Force: true}))
}

func (r *real) create(plural, manager, text string) {
	r.t.Helper()
	r.must(r.At(plural).Create(r.t.Context(), r.Object(text), metav1.CreateOptions{FieldManager: manager}))
}

func (r *real) delete(plural, name string) {
	r.t.Helper()
	policy := metav1.DeletePropagationBackground
	if err := r.At(plural).Delete(r.t.Context(), name, metav1.DeleteOptions{PropagationPolicy: &policy}); err != nil {
		r.t.Fatal(err)
	}
}

// field is a live value by path, as text; "" if it is not there.
func (r *real) field(plural, name, path string) string {
	r.t.Helper()
	u, err := r.At(plural).Get(r.t.Context(), name, metav1.GetOptions{})
	if err == nil && slices.Equal(u.GetFinalizers(), []string{metav1.FinalizerDeleteDependents}) { // the collector takes a moment
		r.Eventually(name+" is gone", func() bool {
			u, err = r.At(plural).Get(r.t.Context(), name, metav1.GetOptions{})
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
