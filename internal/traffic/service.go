package traffic

import (
	"slices"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Selected is the hash of the pods that a Service selects; "" while it selects those of every revision.
func Selected(service *unstructured.Unstructured) string {
	hash, _, _ := unstructured.NestedString(service.Object, "spec", "selector", v1alpha1.DefaultRolloutUniqueLabelKey) // of another type: none
	return hash
}

// Select gives the Service as it must become to select the pods with a hash, nil when it does already. It carries the
// Rollout's name from then on, as Argo Rollouts writes it (rollout/service.go); a Service that another Rollout holds is
// an error of kind fault.Invalid, because the two would switch it to and fro.
func Select(service *unstructured.Unstructured, rollout, hash string) (*unstructured.Unstructured, error) {
	holder := service.GetAnnotations()[v1alpha1.ManagedByRolloutsKey]
	if holder != "" && !slices.Contains(strings.Split(holder, ","), rollout) {
		return nil, fault.New(fault.Invalid, "%s: is held by Rollout %s: annotation %s", manifest.IDOf(service), manifest.CleanText(holder, 80), v1alpha1.ManagedByRolloutsKey)
	}
	if Selected(service) == hash && holder != "" {
		return nil, nil
	}
	out := service.DeepCopy()
	notes := out.GetAnnotations()
	if notes == nil {
		notes = map[string]string{}
	}
	if holder == "" {
		notes[v1alpha1.ManagedByRolloutsKey] = rollout
		out.SetAnnotations(notes)
	}
	if err := unstructured.SetNestedField(out.Object, hash, "spec", "selector", v1alpha1.DefaultRolloutUniqueLabelKey); err != nil {
		return nil, fault.New(fault.Invalid, "%s: spec.selector: %w", manifest.IDOf(service), err)
	}
	return out, nil
}
