package sim

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
)

// poison is a value that the API server refuses.
const poison = "poison"

// meddle is a controller's write: another resourceVersion, no field of ours.
func (w *world) meddle(id manifest.ID) {
	w.api.Edit(id, "controller", func(o map[string]any) {
		u := unstructured.Unstructured{Object: o}
		notes := u.GetAnnotations()
		notes["controller.example/seen"] = u.GetResourceVersion()
		u.SetAnnotations(notes)
	})
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
