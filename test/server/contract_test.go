package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// cluster is who keeps the contract: Server here, kube.Cluster before a real API server with build tag `cluster`.
type cluster interface {
	Get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error)
	List(ctx context.Context, label string, kinds []schema.GroupKind) ([]metav1.PartialObjectMetadata, error)
	Apply(ctx context.Context, u *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, []string, error)
	Adopt(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string, entries []metav1.ManagedFieldsEntry) (string, error)
	Patch(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string, ops []byte) (*unstructured.Unstructured, error)
	Delete(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string) error
	SweepSince(ctx context.Context, kinds []schema.GroupKind, known func(kind schema.GroupKind, namespace, name, uid, resourceVersion string) bool,
		page func(kind schema.GroupKind, resourceVersion string, items []metav1.PartialObjectMetadata) error) (manifest.Swept, error)
	Watch(ctx context.Context, gk schema.GroupKind, resourceVersion string, event func(manifest.Event) error) (last string, err error)
}

// people are the others who work there, with `kubectl create`, `kubectl edit` and `kubectl delete --wait=false`.
type people interface {
	Create(by string, u *unstructured.Unstructured)
	Edit(id manifest.ID, by string, change func(object map[string]any))
	Drop(id manifest.ID)
}

var (
	_ cluster = &Server{}
	_ people  = &Server{}
)

// clause is one of the contract: what is done, and what is told of it, line by line.
type clause struct {
	name string
	do   func(*scene)
	want []string
}

func TestTheServerInMemoryKeepsTheContract(t *testing.T) {
	contract(t, func(*testing.T) (cluster, people, string) {
		s := New()
		return s, s, "n"
	})
}

func contract(t *testing.T, begin func(*testing.T) (c cluster, p people, namespace string)) {
	for _, cl := range slices.Concat(applyClauses, ownershipClauses, generationClauses, deletionClauses, patchClauses, readClauses) {
		t.Run(cl.name, func(t *testing.T) {
			c, p, ns := begin(t)
			s := &scene{t: t, cluster: c, people: p, ns: ns}
			cl.do(s)
			if d := cmp.Diff(cl.want, s.told); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

// scene is a namespace in which a clause is played. What is told names no uid, no version and no time: those are each
// server's own.
type scene struct {
	t *testing.T
	cluster
	people
	ns   string
	told []string
}

func (s *scene) tell(format string, args ...any) {
	s.told = append(s.told, fmt.Sprintf(format, args...))
}

// object is YAML with a label of ours, in the namespace.
func (s *scene) object(text string) *unstructured.Unstructured {
	s.t.Helper()
	u := &unstructured.Unstructured{}
	b, err := yaml.YAMLToJSON([]byte(text))
	if err == nil {
		err = u.UnmarshalJSON(b)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	u.SetNamespace(s.ns)
	labels := u.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[manifest.Label] = "contract"
	u.SetLabels(labels)
	return u
}

// configMap is one with these data, such as "k: v, j: v".
func (s *scene) configMap(name, data string) *unstructured.Unstructured {
	s.t.Helper()
	return s.object(fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s}, data: {%s}}", name, data))
}

// live is an object as it is; it must be there.
func (s *scene) live(u *unstructured.Unstructured) *unstructured.Unstructured {
	s.t.Helper()
	now, err := s.Get(s.t.Context(), manifest.IDOf(u))
	if err != nil {
		s.t.Fatal(err)
	}
	return now
}

// at is u as it is sent to replace old, or to be created.
func at(u, old *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	u.SetResourceVersion("1")
	if old != nil {
		u.SetUID(old.GetUID())
		u.SetResourceVersion(old.GetResourceVersion())
	}
	return u
}

// apply must succeed, on condition of what is there. Where a controller writes too it may meet it.
func (s *scene) apply(u *unstructured.Unstructured) *unstructured.Unstructured {
	s.t.Helper()
	for range 50 {
		old, err := s.Get(s.t.Context(), manifest.IDOf(u))
		if err != nil && !fault.Is(err, fault.NotFound) {
			s.t.Fatal(err)
		}
		live, _, err := s.Apply(s.t.Context(), at(u, old), false)
		if err == nil {
			return live
		}
		if !fault.Is(err, fault.Conflict) {
			s.t.Fatal(err)
		}
	}
	s.t.Fatal("it is changed all the time")
	return nil
}

// edit changes an object by hand.
func (s *scene) edit(u *unstructured.Unstructured, by string, change func(o *unstructured.Unstructured)) {
	s.Edit(manifest.IDOf(u), by, func(o map[string]any) { change(&unstructured.Unstructured{Object: o}) })
}

func set(value any, path ...string) func(*unstructured.Unstructured) {
	return func(u *unstructured.Unstructured) {
		if value == nil {
			unstructured.RemoveNestedField(u.Object, path...)
		} else if err := unstructured.SetNestedField(u.Object, value, path...); err != nil {
			panic(err)
		}
	}
}

// show tells an object's data and who owns what of it, status apart.
func (s *scene) show(u *unstructured.Unstructured) {
	s.t.Helper()
	data, _, _ := unstructured.NestedStringMap(u.Object, "data")
	s.tell("%s %v", u.GetName(), data)
	var entries []string
	for _, e := range u.GetManagedFields() {
		if e.Subresource == "" {
			entries = append(entries, fmt.Sprintf("  %s %s %s", e.Manager, e.Operation, strings.Join(ownership.Paths(e.FieldsV1), " ")))
		}
	}
	slices.Sort(entries)
	s.told = append(s.told, entries...)
}

// ends tells how a request ended.
func (s *scene) ends(what string, err error) {
	if err == nil {
		s.tell("%s: done", what)
		return
	}
	s.tell("%s: %s", what, fault.Of(err))
}

// there tells whether an object is there. What a foreground deletion leaves to a controller is waited for.
func (s *scene) there(u *unstructured.Unstructured) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		now, err := s.Get(ctx, manifest.IDOf(u))
		switch {
		case fault.Is(err, fault.NotFound):
			s.tell("%s is gone", u.GetName())
			return
		case err != nil:
			s.t.Fatal(err)
		case !slices.Contains(now.GetFinalizers(), metav1.FinalizerDeleteDependents):
			s.tell("%s is there, being deleted: %v", u.GetName(), now.GetDeletionTimestamp() != nil)
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			s.t.Fatalf("%s is held by its dependents for ever", u.GetName())
		}
	}
}
