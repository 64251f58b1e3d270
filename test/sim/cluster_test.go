package sim

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// cluster is an API server in memory with the answers that a real one was seen to give (design.md 2, kube's cluster
// tests): 409 for a stale resourceVersion or another uid, creation by resourceVersion "1" and no uid, no new version for
// an apply that changes nothing, what was applied in the manager's Apply entry, refusals of what is poisoned.
type cluster struct {
	objects map[manifest.ID]*unstructured.Unstructured
	version int
}

// poison is a value that the API server refuses.
const poison = "poison"

func (c *cluster) next() string { c.version++; return strconv.Itoa(c.version) }

func (c *cluster) list(label string, kinds []schema.GroupKind) (out []metav1.PartialObjectMetadata) {
	for id, u := range c.objects {
		if u.GetLabels()[manifest.Label] == label && (kinds == nil || slices.Contains(kinds, id.GroupKind())) {
			out = append(out, metadataOf(u.DeepCopy()))
		}
	}
	return out
}

func metadataOf(u *unstructured.Unstructured) metav1.PartialObjectMetadata {
	m := metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(u.GroupVersionKind())
	m.Name, m.Namespace, m.UID, m.ResourceVersion = u.GetName(), u.GetNamespace(), u.GetUID(), u.GetResourceVersion()
	m.Labels, m.Annotations, m.ManagedFields = u.GetLabels(), u.GetAnnotations(), u.GetManagedFields()
	return m
}

// apply is what becomes of one server-side apply; changed says that it was written.
func (c *cluster) apply(in *unstructured.Unstructured, dryRun bool) (out *unstructured.Unstructured, changed bool, err error) {
	id := manifest.IDOf(in)
	if valueOf(in) == poison {
		return nil, false, fault.New(fault.Invalid, "apply %s: it is poisoned", id)
	}
	old := c.objects[id]
	if err := precondition(old, in.GetUID(), in.GetResourceVersion(), id); err != nil {
		return nil, false, err
	}
	u := merged(old, in)
	switch {
	case dryRun:
		return u, false, nil
	case old != nil && reflect.DeepEqual(old.Object, u.Object):
		return old.DeepCopy(), false, nil
	case old == nil:
		u.SetUID(types.UID("uid-" + c.next()))
	}
	u.SetResourceVersion(c.next())
	c.objects[id] = u
	return u.DeepCopy(), true, nil
}

func (c *cluster) remove(id manifest.ID, uid types.UID, version string) (changed bool, err error) {
	old := c.objects[id]
	if old == nil {
		return false, nil // 404: gone is gone
	}
	if err := precondition(old, uid, version, id); err != nil {
		return false, err
	}
	delete(c.objects, id)
	return true, nil
}

// bump is a controller's write: another resourceVersion, no field of ours.
func (c *cluster) bump(id manifest.ID) {
	if u := c.objects[id]; u != nil {
		u.SetResourceVersion(c.next())
	}
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

// merged is server-side apply by one manager; of others there are only controllers, which own no field here.
func merged(old, in *unstructured.Unstructured) *unstructured.Unstructured {
	u := in.DeepCopy()
	fields := fieldsOf(u.Object)
	u.SetUID("")
	u.SetResourceVersion("")
	if old != nil {
		u.SetUID(old.GetUID())
		u.SetResourceVersion(old.GetResourceVersion())
	}
	u.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manifest.Manager, Operation: metav1.ManagedFieldsOperationApply,
		APIVersion: u.GetAPIVersion(), FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(string(fields))}})
	return u
}

func fieldsOf(object map[string]any) []byte {
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
	top := maps.Clone(object)
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

// object is a ConfigMap with one value.
func object(name, value string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": name}, "data": map[string]any{"value": value}}}
}

func idOf(name string) manifest.ID {
	return manifest.ID{Kind: "ConfigMap", Namespace: namespace, Name: name}
}

func valueOf(u *unstructured.Unstructured) string {
	s, _, _ := unstructured.NestedString(u.Object, "data", "value")
	return s
}
