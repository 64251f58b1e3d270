package analysis

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
)

// Stored is the templates that are objects of a cluster.
type Stored struct {
	Cluster   string // its name, for error texts
	Namespace string // of the Rollout
	Get       func(context.Context, manifest.ID) (*unstructured.Unstructured, error)
}

// Template is that of Templates.
func (s Stored) Template(ctx context.Context, name string, cluster bool) (Template, error) {
	id := manifest.ID{Group: "argoproj.io", Kind: "AnalysisTemplate", Namespace: s.Namespace, Name: name}
	if cluster {
		id.Kind, id.Namespace = "ClusterAnalysisTemplate", ""
	}
	u, err := s.Get(ctx, id)
	if err != nil {
		return Template{}, err
	}
	return DecodeTemplate("cluster "+s.Cluster, u.Object)
}
