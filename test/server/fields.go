package server

import (
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"

	"slipway/internal/fault"
)

// schemas are Kubernetes' own, so that the lists that have keys are merged by key. A custom kind is taken as one without
// schema: each of its lists is one value, which is the default of CustomResourceDefinitions too.
var schemas = sync.OnceValue(func() managedfields.TypeConverter { return applyconfigurations.NewTypeConverter(scheme.Scheme) })

// manager decides who owns what in objects of a kind.
func (s *Server) manager(k schema.GroupVersionKind) (*managedfields.FieldManager, error) {
	if m := s.managers[k]; m != nil {
		return m, nil
	}
	make, types := managedfields.NewDefaultFieldManager, schemas()
	if !scheme.Scheme.Recognizes(k) {
		make, types = managedfields.NewDefaultCRDFieldManager, managedfields.NewDeducedTypeConverter()
	}
	m, err := make(types, sameVersion{}, noDefaults{}, emptyObjects{}, k, k.GroupVersion(), "", nil)
	if err == nil {
		s.managers[k] = m
	}
	return m, err
}

// applied is what a server-side apply by a manager makes of old, which is nil for a creation. It is forced.
func (s *Server) applied(old, in *unstructured.Unstructured, by string) (*unstructured.Unstructured, error) {
	m, err := s.manager(in.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	live := old.DeepCopy()
	if live == nil {
		live = bare(in)
	}
	return object(m.Apply(live, content(in), by, true))
}

// updated is what becomes of who owns what when a manager makes u of old, which is nil for a creation, by an update or a
// patch. Managed fields that u has and old has not are taken as they are.
func (s *Server) updated(old, u *unstructured.Unstructured, by string) (*unstructured.Unstructured, error) {
	m, err := s.manager(u.GroupVersionKind())
	if err != nil {
		return nil, err
	}
	live := old.DeepCopy()
	if live == nil {
		live = bare(u)
		unstructured.RemoveNestedField(live.Object, "metadata")
	}
	return object(m.Update(live, u.DeepCopy(), by))
}

func object(o runtime.Object, err error) (*unstructured.Unstructured, error) {
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err) // as kube classifies `failed to create typed patch object`
	}
	u, ok := o.(*unstructured.Unstructured)
	if !ok {
		return nil, fault.New(fault.Internal, "%T is no object", o)
	}
	return u, nil
}

// content is an object without what the server says of it.
func content(u *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	for _, f := range []string{"uid", "resourceVersion", "managedFields", "creationTimestamp", "generation"} {
		unstructured.RemoveNestedField(u.Object, "metadata", f)
	}
	return u
}

// bare is an object with nothing but its name.
func bare(u *unstructured.Unstructured) *unstructured.Unstructured {
	b := &unstructured.Unstructured{Object: map[string]any{}}
	b.SetGroupVersionKind(u.GroupVersionKind())
	b.SetName(u.GetName())
	b.SetNamespace(u.GetNamespace())
	return b
}

// timeless is an object without the times of its managed fields, which alone make no new version (apiserver
// managedfields IgnoreManagedFieldsTimestampsTransformer).
func timeless(u *unstructured.Unstructured) map[string]any {
	c := u.DeepCopy()
	entries := c.GetManagedFields()
	for i := range entries {
		entries[i].Time = nil
	}
	c.SetManagedFields(entries)
	return c.Object
}

type noDefaults struct{}

func (noDefaults) Default(runtime.Object) {}

// sameVersion knows one version of each kind.
type sameVersion struct{}

func (sameVersion) Convert(_, _, _ any) error { return nil }
func (sameVersion) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	return in, nil
}
func (sameVersion) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

type emptyObjects struct{}

func (emptyObjects) New(k schema.GroupVersionKind) (runtime.Object, error) {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetGroupVersionKind(k)
	return u, nil
}
