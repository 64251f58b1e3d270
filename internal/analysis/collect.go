package analysis

import (
	"context"
	"fmt"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"slipway/internal/fault"
)

// templateCap bounds how many templates one analysis may name, those included that its templates name.
const templateCap = 100

// Templates reads templates, from git or from a cluster.
type Templates interface {
	// Template is the AnalysisTemplate of that name in the Rollout's namespace, or the ClusterAnalysisTemplate.
	Template(ctx context.Context, name string, cluster bool) (Template, error)
}

// Collect reads the templates that refs name and those that they name in turn, each once: AnalysisTemplates first, then
// ClusterAnalysisTemplates, both in the order in which they are met (rollout/analysis.go, getAnalysisTemplatesFromRefs).
// Templates that name each other in a circle are read once too; Argo's controller does not end then.
func Collect(ctx context.Context, from Templates, refs []v1alpha1.AnalysisTemplateRef) ([]Template, error) {
	var namespaced, cluster []Template
	seen := map[string]bool{}
	var walk func([]v1alpha1.AnalysisTemplateRef) error
	walk = func(refs []v1alpha1.AnalysisTemplateRef) error {
		for _, ref := range refs {
			id := Template{Name: ref.TemplateName, Cluster: ref.IsClusterScope()}.String()
			if seen[id] {
				continue
			}
			seen[id] = true
			if len(seen) > templateCap {
				return fault.New(fault.Invalid, "read templates: more than %d", templateCap)
			}
			t, err := from.Template(ctx, ref.TemplateName, ref.IsClusterScope())
			if err != nil {
				return fmt.Errorf("read %s: %w", id, err)
			}
			if t.Cluster {
				cluster = append(cluster, t)
			} else {
				namespaced = append(namespaced, t)
			}
			if err := walk(t.Spec.Templates); err != nil {
				return err
			}
		}
		return nil
	}
	err := walk(refs)
	return append(namespaced, cluster...), err
}
