package manifest

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func TestWhatAnAutoscalerScales(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h, namespace: shop}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: db}}}", "StatefulSet.apps shop/db"},
		{"{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: h, namespace: shop}, spec: {scaleTargetRef: {name: web}}}", "Deployment.apps shop/web"},
		{"{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: h, namespace: shop}, spec: {scaleTargetRef: {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: web}}}", "Rollout.argoproj.io shop/web"},
		{"{apiVersion: keda.sh/v1alpha1, kind: ScaledJob, spec: {scaleTargetRef: {name: web}}}", ""},
		{"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {}}", ""},
		{"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {scaleTargetRef: {name: 3}}}", ""},
		{"{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, spec: {scaleTargetRef: {apiVersion: a/b/c, name: x}}}", ""},
	} {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(c.text), &u.Object); err != nil {
			t.Fatal(err)
		}
		got, ok := ScaleTarget(u)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s: %s, %v", c.text, got, ok)
		}
	}
}
