package manifest

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// ScaleTarget is what an autoscaler scales: a HorizontalPodAutoscaler, or KEDA's ScaledObject, whose target is a
// Deployment unless it says otherwise (keda.sh docs, ScaledObject specification). False for any other kind.
func ScaleTarget(u *unstructured.Unstructured) (ID, bool) {
	kind := u.GroupVersionKind().GroupKind().String()
	if kind != "HorizontalPodAutoscaler.autoscaling" && kind != "ScaledObject.keda.sh" {
		return ID{}, false
	}
	ref, _, err := unstructured.NestedStringMap(u.Object, "spec", "scaleTargetRef")
	if err != nil || ref["name"] == "" {
		return ID{}, false
	}
	gv, err := schema.ParseGroupVersion(ref["apiVersion"])
	if err != nil {
		return ID{}, false
	}
	id := ID{Group: gv.Group, Kind: ref["kind"], Namespace: u.GetNamespace(), Name: ref["name"]}
	if kind == "ScaledObject.keda.sh" && id.Kind == "" {
		id.Group, id.Kind = "apps", "Deployment"
	}
	return id, true
}
