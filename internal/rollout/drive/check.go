package drive

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/analysis"
	"slipway/internal/manifest"
	"slipway/internal/rollout"
)

// Check is fault.Invalid, by path, for a Rollout or a template of analyses that cannot be driven: what a sync asks
// before its first write. file names where it is written. Of other kinds it knows nothing.
func Check(file string, u *unstructured.Unstructured) error {
	switch manifest.IDOf(u).GroupKind() {
	case rolloutKind:
		_, err := decode(u)
		if err == nil {
			_, err = rollout.PolicyOf(u)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	case templateKind, clusterKind:
		_, err := analysis.DecodeTemplate(file, u.Object)
		return err
	}
	return nil
}
