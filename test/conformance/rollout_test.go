//go:build conformance

package conformance

import (
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"slipway/test/cluster"
)

func TestTheCRDsAcceptTheRolloutAndTheAnalysisTemplateUnchanged(t *testing.T) {
	cluster.InstallCRDs(t)
	client, err := dynamic.NewForConfig(cluster.Admin(t))
	if err != nil {
		t.Fatal(err)
	}
	ns := cluster.Namespace(t)
	for file, plural := range map[string]string{"rollout.yaml": "rollouts", "analysistemplate.yaml": "analysistemplates"} {
		text, err := os.ReadFile(original(file))
		if err != nil {
			t.Fatal(err)
		}
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(text, &u.Object); err != nil {
			t.Fatal(err)
		}
		u.SetNamespace(ns)
		kind := client.Resource(schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: plural}).Namespace(ns)
		if _, err := kind.Create(t.Context(), u, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}
