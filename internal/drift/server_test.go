package drift

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/managedfields"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// server is an API server in memory, with Kubernetes' own field managers: who owns what is what a real one would say.
// The cluster tier runs the same use case against a real one.
type server struct {
	mu      sync.Mutex
	objects map[manifest.ID]*unstructured.Unstructured
	version int
	writes  []string
	around  func(op string, call func() error) error // called in place of each request
	broken  map[schema.GroupKind]error               // kinds whose LIST fails
}

func newServer() *server { return &server{objects: map[manifest.ID]*unstructured.Unstructured{}} }

func (s *server) do(ctx context.Context, op string, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	around := s.around
	s.mu.Unlock()
	call := func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return f()
	}
	if around == nil {
		return call()
	}
	return around(op, call)
}

func (s *server) next() string { s.version++; return strconv.Itoa(s.version) }

func (s *server) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.writes
	s.writes = nil
	return w
}

type noDefaults struct{}

func (noDefaults) Default(runtime.Object) {}

type sameVersion struct{}

func (sameVersion) Convert(_, _, _ any) error { return nil }
func (sameVersion) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}
func (sameVersion) ConvertFieldLabel(_ schema.GroupVersionKind, l, v string) (string, string, error) {
	return l, v, nil
}

type emptyObjects struct{}

func (emptyObjects) New(k schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(k)
	return u, nil
}

func manager(u *unstructured.Unstructured) *managedfields.FieldManager {
	k := u.GroupVersionKind()
	m, err := managedfields.NewDefaultCRDFieldManager(managedfields.NewDeducedTypeConverter(), sameVersion{}, noDefaults{}, emptyObjects{}, k, k.GroupVersion(), "", nil)
	if err != nil {
		panic(err)
	}
	return m
}

func precondition(old *unstructured.Unstructured, uid types.UID, version string, id manifest.ID) error {
	switch {
	case old == nil && (uid != "" || version != "" && version != "1"):
		return fault.New(fault.Conflict, "%s: uid mismatch", id)
	case old == nil:
	case uid != "" && uid != old.GetUID(), version != "" && version != old.GetResourceVersion():
		return fault.New(fault.Conflict, "%s: the object has been modified", id)
	}
	return nil
}

func (s *server) Apply(ctx context.Context, in *unstructured.Unstructured, dry bool) (out *unstructured.Unstructured, _ []string, err error) {
	op, id := "apply", manifest.IDOf(in)
	if dry {
		op = "try"
	}
	err = s.do(ctx, op, func() (err error) {
		old := s.objects[id]
		if err := precondition(old, in.GetUID(), in.GetResourceVersion(), id); err != nil {
			return err
		}
		out, err = s.merged(old, in, manifest.Manager)
		if err != nil {
			return err
		}
		if !dry {
			out = s.store("apply", id, old, out)
		}
		return nil
	})
	return out, nil, err
}

// merged is what an apply makes of old.
func (s *server) merged(old, in *unstructured.Unstructured, by string) (*unstructured.Unstructured, error) {
	patch := in.DeepCopy()
	for _, f := range []string{"uid", "resourceVersion", "managedFields", "creationTimestamp", "generation"} {
		unstructured.RemoveNestedField(patch.Object, "metadata", f)
	}
	live := old
	if live == nil {
		live = &unstructured.Unstructured{Object: map[string]any{"apiVersion": in.GetAPIVersion(), "kind": in.GetKind(), "metadata": map[string]any{"name": in.GetName(), "namespace": in.GetNamespace()}}}
	}
	o, err := manager(in).Apply(live.DeepCopy(), patch, by, true)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err)
	}
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return nil, fault.New(fault.Internal, "no object")
	}
	return u, nil
}

// store keeps an object; one that has not changed keeps its resourceVersion.
func (s *server) store(op string, id manifest.ID, old, u *unstructured.Unstructured) *unstructured.Unstructured {
	if old != nil && string(mustJSON(timeless(old))) == string(mustJSON(timeless(u))) {
		return old.DeepCopy()
	}
	if old == nil {
		u.SetUID(types.UID("uid-" + s.next()))
	}
	u.SetResourceVersion(s.next())
	s.objects[id] = u.DeepCopy()
	s.writes = append(s.writes, op+" "+id.Kind+"/"+id.Name)
	return u.DeepCopy()
}

func timeless(u *unstructured.Unstructured) map[string]any {
	c := u.DeepCopy()
	entries := c.GetManagedFields()
	for i := range entries {
		entries[i].Time = nil
	}
	c.SetManagedFields(entries)
	return c.Object
}

// edit is somebody's update, outside of what is around the requests of ours.
func (s *server) edit(id manifest.ID, by string, change func(o map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.objects[id]
	if old == nil {
		return
	}
	u := old.DeepCopy()
	change(u.Object)
	o, err := manager(u).Update(old.DeepCopy(), u, by)
	if err != nil {
		panic(err)
	}
	if u, ok := o.(*unstructured.Unstructured); ok {
		writes := s.writes
		s.store("edit", id, old, u)
		s.writes = writes
	}
}

func (s *server) drop(id manifest.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, id)
}

func (s *server) live(id manifest.ID) *unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.objects[id]; u != nil {
		return u.DeepCopy()
	}
	return nil
}

func (s *server) Get(ctx context.Context, id manifest.ID) (out *unstructured.Unstructured, err error) {
	err = s.do(ctx, "get", func() error {
		if s.objects[id] == nil {
			return fault.New(fault.NotFound, "get %s: not found", id)
		}
		out = s.objects[id].DeepCopy()
		return nil
	})
	return out, err
}

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

// SweepSince lists kind by kind, so that others may write between two kinds.
func (s *server) SweepSince(ctx context.Context, kinds []schema.GroupKind, known func(schema.GroupKind, string, string, string, string) bool, page func(schema.GroupKind, string, []metav1.PartialObjectMetadata) error) (manifest.Swept, error) {
	swept := manifest.Swept{Whole: map[schema.GroupKind]string{}, Failed: map[schema.GroupKind]error{}}
	if kinds == nil {
		known := map[schema.GroupKind]bool{}
		s.mu.Lock()
		for id := range s.objects {
			known[id.GroupKind()] = true
		}
		s.mu.Unlock()
		kinds = slices.Collect(maps.Keys(known))
	}
	var failed error
	for _, gk := range kinds {
		var items []metav1.PartialObjectMetadata
		version := ""
		err := s.do(ctx, "sweep", func() error {
			if err := s.broken[gk]; err != nil {
				return err
			}
			version = strconv.Itoa(s.version)
			for id, u := range s.objects {
				if _, ours := u.GetLabels()[manifest.Label]; ours && id.GroupKind() == gk {
					m := manifest.MetadataOf(u.DeepCopy())
					if known(gk, m.Namespace, m.Name, string(m.UID), m.ResourceVersion) {
						m.ObjectMeta = metav1.ObjectMeta{Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion}
					}
					items = append(items, *m)
				}
			}
			return nil
		})
		if err != nil {
			swept.Failed[gk], failed = err, err
			continue
		}
		if err := page(gk, version, items); err != nil {
			return swept, err
		}
		swept.Whole[gk] = version
		swept.Objects += len(items)
	}
	return swept, failed
}

func (s *server) Target(context.Context) (app.Target, error) {
	return app.Target{KubeVersion: "v1.36.3"}, nil
}

func (s *server) Namespaced(context.Context, schema.GroupKind, string) (bool, error) {
	return true, nil
}

func (s *server) Established(context.Context, string) error { return nil }

func (s *server) EnsureNamespace(context.Context, string) (bool, error) { return false, nil }

func (s *server) Adopt(ctx context.Context, id manifest.ID, uid types.UID, rv string, entries []metav1.ManagedFieldsEntry) (next string, err error) {
	err = s.do(ctx, "adopt", func() error {
		old := s.objects[id]
		if err := precondition(old, uid, rv, id); err != nil {
			return err
		}
		u := old.DeepCopy()
		u.SetManagedFields(entries)
		next = s.store("adopt", id, old, u).GetResourceVersion()
		return nil
	})
	return next, err
}

func (s *server) Delete(ctx context.Context, id manifest.ID, uid types.UID, rv string) error {
	return s.do(ctx, "delete", func() error {
		old := s.objects[id]
		if old == nil {
			return nil
		}
		if err := precondition(old, uid, rv, id); err != nil {
			return err
		}
		delete(s.objects, id)
		s.writes = append(s.writes, "delete "+id.Kind+"/"+id.Name)
		return nil
	})
}

// Patch knows the removal of fields of maps.
func (s *server) Patch(ctx context.Context, id manifest.ID, uid types.UID, rv string, raw []byte) (out *unstructured.Unstructured, err error) {
	err = s.do(ctx, "patch", func() error {
		old := s.objects[id]
		if err := precondition(old, uid, rv, id); err != nil {
			return err
		}
		var ops []operation
		if err := json.Unmarshal(raw, &ops); err != nil {
			return err
		}
		u := old.DeepCopy()
		for _, o := range ops {
			var at steps
			for _, p := range slices.DeleteFunc(splitPointer(o.Path), func(p string) bool { return p == "" }) {
				at = append(at, p)
			}
			put(u.Object, at, nil)
		}
		o, err := manager(u).Update(old.DeepCopy(), u, manifest.Manager)
		if err != nil {
			return err
		}
		u, ok := o.(*unstructured.Unstructured)
		if !ok {
			return fault.New(fault.Internal, "no object")
		}
		out = s.store("patch", id, old, u)
		return nil
	})
	return out, err
}

func splitPointer(p string) []string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(parts[i])
	}
	return parts
}
