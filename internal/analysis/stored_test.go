package analysis_test

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/analysis"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

func TestTemplatesOfAClusterAreReadInTheRolloutsNamespaceOrInNone(t *testing.T) {
	get := func(_ context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
		metrics := []any{map[string]any{"name": "up", "provider": map[string]any{"prometheus": map[string]any{"address": "http://prometheus:9090", "query": "up"}}}}
		switch id.String() {
		case "AnalysisTemplate.argoproj.io shop/rate", "ClusterAnalysisTemplate.argoproj.io rate":
		case "AnalysisTemplate.argoproj.io shop/bad":
			metrics = nil
		default:
			return nil, fault.New(fault.NotFound, "get %s: not found", id)
		}
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "argoproj.io/v1alpha1", "kind": id.Kind, "spec": map[string]any{"metrics": metrics}}}
		u.SetName(id.Name)
		return u, nil
	}
	s := analysis.Stored{Cluster: "staging", Namespace: "shop", Get: get}
	for name, test := range map[string]struct {
		template string
		cluster  bool
		fails    fault.Kind
		says     string
	}{
		"in the namespace":       {"rate", false, 0, ""},
		"in the cluster":         {"rate", true, 0, ""},
		"not in the namespace":   {"none", false, fault.NotFound, "AnalysisTemplate.argoproj.io shop/none"},
		"not in the cluster":     {"bad", true, fault.NotFound, "ClusterAnalysisTemplate.argoproj.io bad"},
		"there, and of no sense": {"bad", false, fault.Invalid, "cluster staging: AnalysisTemplate bad: spec.metrics: missing"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.Template(t.Context(), test.template, test.cluster)
			if (err == nil) != (test.fails == 0) || err != nil && (!fault.Is(err, test.fails) || !strings.Contains(err.Error(), test.says)) {
				t.Fatal(err)
			}
			if err == nil && (got.Name != test.template || got.Cluster != test.cluster || len(got.Spec.Metrics) != 1) {
				t.Errorf("%+v", got)
			}
		})
	}
}
