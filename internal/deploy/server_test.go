package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// server is an API server in memory, as far as deploy uses one, with the answers that a real one was seen to give:
// 409 for a stale resourceVersion or another uid, creation by resourceVersion "1", no new version for a no-op, a copy of
// what was applied in the manager's Apply entry. The cluster tier runs the same use case against a real one.
type server struct {
	mu       sync.Mutex
	objects  map[manifest.ID]*unstructured.Unstructured
	version  int
	unknown  string                                   // a kind that is not served
	warn     []string                                 // what an apply warns of
	refuse   map[manifest.ID]error                    // by object: what a write answers
	history  []event                                  // every write that took effect
	requests []string                                 // every request, for counting
	around   func(op string, call func() error) error // called in place of each request
}

// undisturbed in a context keeps its requests from what is around those of others.
type undisturbed struct{}

type event struct {
	op    string // apply, adopt, delete, namespace
	id    manifest.ID
	fence string
}

func newServer() *server {
	return &server{objects: map[manifest.ID]*unstructured.Unstructured{}, refuse: map[manifest.ID]error{}}
}

func (s *server) do(ctx context.Context, op string, f func() error) error {
	s.mu.Lock()
	s.requests = append(s.requests, op)
	around := s.around
	s.mu.Unlock()
	call := func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return f()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if around == nil || ctx.Value(undisturbed{}) != nil {
		return call()
	}
	return around(op, call)
}

// set replaces what is called around each request.
func (s *server) set(around func(op string, call func() error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.around = around
}

func (s *server) next() string { s.version++; return strconv.Itoa(s.version) }

func (s *server) List(ctx context.Context, label string, kinds []schema.GroupKind) (out []metav1.PartialObjectMetadata, err error) {
	err = s.do(ctx, "list", func() error {
		for id, u := range s.objects {
			if u.GetLabels()[manifest.Label] == label && (kinds == nil || slices.Contains(kinds, id.GroupKind())) {
				out = append(out, *manifest.MetadataOf(u.DeepCopy()))
			}
		}
		return nil
	})
	return out, err
}

func (s *server) Get(ctx context.Context, id manifest.ID) (out *unstructured.Unstructured, err error) {
	err = s.do(ctx, "get", func() error {
		u := s.objects[id]
		if u == nil {
			return fault.New(fault.NotFound, "get %s: not found", id)
		}
		out = u.DeepCopy()
		return nil
	})
	return out, err
}

func (s *server) Target(ctx context.Context) (app.Target, error) {
	return app.Target{KubeVersion: "v1.36.3"}, s.do(ctx, "target", func() error { return nil })
}

func (s *server) Namespaced(_ context.Context, gk schema.GroupKind, _ string) (bool, error) {
	switch gk.Kind {
	case "Namespace", "CustomResourceDefinition", "ClusterRole":
		return false, nil
	case "Unknown", s.unknown:
		return false, fault.New(fault.NotFound, "no kind %s", gk)
	}
	return true, nil
}

func (s *server) Established(ctx context.Context, _ string) error {
	return s.do(ctx, "established", func() error { return nil })
}

func (s *server) Apply(ctx context.Context, in *unstructured.Unstructured, dryRun bool) (out *unstructured.Unstructured, _ []string, err error) {
	op := "apply"
	if dryRun {
		op = "try"
	}
	id := manifest.IDOf(in)
	err = s.do(ctx, op, func() error {
		if err := s.refuse[id]; err != nil {
			return err
		}
		if v := in.GetResourceVersion(); !dryRun && (v == "" || v == "1" != (in.GetUID() == "")) { // rule 12
			return fault.New(fault.Internal, "apply %s: neither a creation nor on condition of uid and resourceVersion", id)
		}
		old := s.objects[id]
		if err := precondition(old, in.GetUID(), in.GetResourceVersion(), id); err != nil {
			return err
		}
		u := s.merge(old, in)
		if dryRun {
			out = u
			return nil
		}
		if old != nil && reflect.DeepEqual(old.Object, u.Object) {
			out = old.DeepCopy()
			return nil
		}
		u.SetResourceVersion(s.next())
		s.objects[id] = u
		s.history = append(s.history, event{"apply", id, u.GetAnnotations()[manifest.FenceNote]})
		out = u.DeepCopy()
		return nil
	})
	return out, s.warn, err
}

func precondition(old *unstructured.Unstructured, uid types.UID, version string, id manifest.ID) error {
	switch {
	case old == nil && (uid != "" || version != "" && version != "1"):
		return fault.New(fault.Conflict, "%s: uid mismatch", id)
	case old == nil:
		return nil
	case uid != "" && uid != old.GetUID(), version != "" && version != old.GetResourceVersion():
		return fault.New(fault.Conflict, "%s: the object has been modified", id)
	}
	return nil
}

// merge is server-side apply by one manager: fields that others set stay.
func (s *server) merge(old, in *unstructured.Unstructured) *unstructured.Unstructured {
	u := in.DeepCopy()
	u.SetUID("")
	u.SetResourceVersion("")
	fields := fieldsOf(u.Object)
	var entries []metav1.ManagedFieldsEntry
	if old != nil {
		u.SetUID(old.GetUID())
		u.SetResourceVersion(old.GetResourceVersion())
		for _, e := range old.GetManagedFields() {
			if e.Manager != manifest.Manager {
				entries = append(entries, e)
			}
		}
	} else {
		u.SetUID(types.UID("uid-" + s.next()))
	}
	entries = append(entries, metav1.ManagedFieldsEntry{Manager: manifest.Manager, Operation: metav1.ManagedFieldsOperationApply,
		APIVersion: u.GetAPIVersion(), FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(fields))})
	u.SetManagedFields(entries)
	return u
}

func fieldsOf(obj map[string]any) []byte {
	var walk func(m map[string]any) map[string]any
	walk = func(m map[string]any) map[string]any {
		out := map[string]any{}
		for k, v := range m {
			child, ok := v.(map[string]any)
			if !ok {
				child = nil
			}
			out["f:"+k] = walk(child)
		}
		return out
	}
	top := maps.Clone(obj)
	delete(top, "apiVersion")
	delete(top, "kind")
	if meta, ok := top["metadata"].(map[string]any); ok {
		meta = maps.Clone(meta)
		for _, k := range []string{"name", "namespace", "uid", "resourceVersion"} {
			delete(meta, k)
		}
		top["metadata"] = meta
	}
	b, err := json.Marshal(walk(top))
	if err != nil {
		panic(err)
	}
	return b
}

func (s *server) Adopt(ctx context.Context, id manifest.ID, uid types.UID, version string, entries []metav1.ManagedFieldsEntry) (next string, err error) {
	err = s.do(ctx, "adopt", func() error {
		u := s.objects[id]
		if err := precondition(u, uid, version, id); err != nil {
			return err
		}
		u.SetManagedFields(entries)
		next = s.next()
		u.SetResourceVersion(next)
		s.history = append(s.history, event{"adopt", id, ""})
		return nil
	})
	return next, err
}

func (s *server) Delete(ctx context.Context, id manifest.ID, uid types.UID, version string) error {
	return s.do(ctx, "delete", func() error {
		if err := s.refuse[id]; err != nil {
			return err
		}
		u := s.objects[id]
		if u == nil {
			return nil
		}
		if err := precondition(u, uid, version, id); err != nil {
			return err
		}
		delete(s.objects, id)
		s.history = append(s.history, event{"delete", id, ""})
		return nil
	})
}

func (s *server) EnsureNamespace(ctx context.Context, name string) (created bool, err error) {
	err = s.do(ctx, "namespace", func() error {
		id := manifest.ID{Kind: "Namespace", Name: name}
		if s.objects[id] != nil {
			return nil
		}
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
		u.SetUID(types.UID("uid-" + s.next()))
		u.SetResourceVersion(s.next())
		s.objects[id], created = u, true
		s.history = append(s.history, event{"namespace", id, ""})
		return nil
	})
	return created, err
}

// put is another client's write: it raises the resourceVersion and leaves ownership alone.
func (s *server) put(t *testing.T, u *unstructured.Unstructured) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	c := u.DeepCopy()
	if c.GetUID() == "" {
		c.SetUID(types.UID("uid-" + s.next()))
	}
	c.SetResourceVersion(s.next())
	s.objects[manifest.IDOf(c)] = c
}

func (s *server) live(id manifest.ID) *unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.objects[id]; u != nil {
		return u.DeepCopy()
	}
	return nil
}

func (s *server) count(op string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r == op {
			n++
		}
	}
	return n
}

func (e event) String() string { return fmt.Sprintf("%s %s", e.op, e.id) }

func (s *server) Patch(context.Context, manifest.ID, types.UID, string, []byte) (*unstructured.Unstructured, error) {
	return nil, fault.New(fault.Internal, "a sync never patches")
}
