package crds_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"slipway/infra/crds"
)

// definition is what the plugin, an HPA and the rollout rely on.
type definition struct {
	Kind string
	Spec struct {
		Group, Scope string
		Names        struct {
			Kind, Plural string
			ShortNames   []string
		}
		Versions []struct {
			Name            string
			Served, Storage bool
			Subresources    map[string]map[string]string
		}
	}
}

func TestTheDefinitionsAreThoseOfArgoRollouts(t *testing.T) {
	type brief struct {
		Scope, Plural, Short, Version string
		Subresources                  map[string]map[string]string
	}
	want := map[string]brief{
		"AnalysisRun":             {"Namespaced", "analysisruns", "ar", "v1alpha1", map[string]map[string]string{}},
		"AnalysisTemplate":        {"Namespaced", "analysistemplates", "at", "v1alpha1", map[string]map[string]string{}},
		"ClusterAnalysisTemplate": {"Cluster", "clusteranalysistemplates", "cat", "v1alpha1", map[string]map[string]string{}},
		"Experiment":              {"Namespaced", "experiments", "exp", "v1alpha1", map[string]map[string]string{}},
		"Rollout": {"Namespaced", "rollouts", "ro", "v1alpha1", map[string]map[string]string{
			"status": {},
			"scale":  {"labelSelectorPath": ".status.selector", "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.HPAReplicas"},
		}},
	}
	got := map[string]brief{}
	for _, text := range strings.Split(strings.TrimPrefix(crds.YAML, "---\n"), "\n---\n") {
		var d definition
		if err := yaml.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if d.Kind != "CustomResourceDefinition" || d.Spec.Group != "argoproj.io" || len(d.Spec.Versions) != 1 || !d.Spec.Versions[0].Served || !d.Spec.Versions[0].Storage {
			t.Errorf("%s of %s: %+v", d.Kind, d.Spec.Group, d.Spec)
			continue
		}
		v := d.Spec.Versions[0]
		got[d.Spec.Names.Kind] = brief{d.Spec.Scope, d.Spec.Names.Plural, strings.Join(d.Spec.Names.ShortNames, ","), v.Name, v.Subresources}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
