//go:build cluster

package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// Of the shape of the tutorial's: weights, durations as text, an inline analysis, two Services.
const rollout = `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: order-service}
spec:
  replicas: 5
  strategy:
    canary:
      steps:
      - setWeight: 10
      - pause: {duration: 10m}
      - pause: {duration: 600}
      - analysis: {templates: [{templateName: success-rate}]}
      - setWeight: 100
      canaryService: order-service-canary
      stableService: order-service-stable
  selector: {matchLabels: {app: order-service}}
  template:
    metadata: {labels: {app: order-service}, annotations: {team: shop}}
    spec:
      containers:
      - name: order-service
        image: myorg/order-service:1.2.0
        ports: [{containerPort: 8080, protocol: TCP}, {containerPort: 8080, protocol: UDP}]
        resources: {limits: {cpu: 1, memory: 64Mi}}
      volumes: [{name: cache, emptyDir: {sizeLimit: 1Gi}}]
`

const template = `
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: success-rate}
spec:
  metrics:
  - name: success-rate
    interval: 1m
    successCondition: result[0] >= 0.99
    failureLimit: 3
    provider: {prometheus: {address: "http://prometheus:9090", query: up}}
`

func objectOf(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	body, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(body); err != nil {
		t.Fatal(err)
	}
	return u
}

func kindOf(t *testing.T, namespace, plural string) dynamic.ResourceInterface {
	t.Helper()
	InstallCRDs(t)
	client, err := dynamic.NewForConfig(Admin(t))
	if err != nil {
		t.Fatal(err)
	}
	return client.Resource(schema.GroupVersionResource{Group: "argoproj.io", Version: "v1alpha1", Resource: plural}).Namespace(namespace)
}

func apply(t *testing.T, kind dynamic.ResourceInterface, manager string, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	t.Helper()
	body, err := yaml.Marshal(u.Object)
	if err != nil {
		t.Fatal(err)
	}
	force := true
	return kind.Patch(t.Context(), u.GetName(), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: manager, Force: &force, FieldValidation: metav1.FieldValidationStrict})
}

func TestManifestsOfTheTutorialsShapeAreStoredAsTheyAre(t *testing.T) {
	ns := Namespace(t)
	for plural, text := range map[string]string{"rollouts": rollout, "analysistemplates": template} {
		want := objectOf(t, text)
		got, err := apply(t, kindOf(t, ns, plural), "slipway", want)
		if err != nil {
			t.Errorf("%s: %v", plural, err)
			continue
		}
		if d := cmp.Diff(want.Object["spec"], got.Object["spec"]); d != "" {
			t.Errorf("%s: %s", plural, d)
		}
	}
}

func TestAMisspeltFieldOfAPodTemplateIsRefusedByPath(t *testing.T) {
	kind := kindOf(t, Namespace(t), "rollouts")
	_, err := apply(t, kind, "slipway", objectOf(t, strings.Replace(rollout, "emptyDir:", "emtyDir:", 1)))
	if err == nil || !strings.Contains(err.Error(), ".spec.template.spec.volumes[name=\"cache\"].emtyDir") {
		t.Errorf("refused with %v", err)
	}
}

// A sidecar that somebody else adds to a Rollout is theirs, as in a Deployment; a list in one piece would have taken our
// container from us.
func TestContainersOfARolloutHaveOwnersOfTheirOwn(t *testing.T) {
	kind := kindOf(t, Namespace(t), "rollouts")
	if _, err := apply(t, kind, "slipway", objectOf(t, rollout)); err != nil {
		t.Fatal(err)
	}
	sidecar := objectOf(t, `{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: order-service}, spec: {template: {spec: {containers: [{name: mesh, image: mesh}]}}}}`)
	if _, err := apply(t, kind, "mesh", sidecar); err != nil {
		t.Fatal(err)
	}
	got, err := apply(t, kind, "slipway", objectOf(t, strings.Replace(rollout, "1.2.0", "1.3.0", 1)))
	if err != nil {
		t.Fatal(err)
	}
	containers, _, _ := unstructured.NestedSlice(got.Object, "spec", "template", "spec", "containers")
	images := map[any]any{}
	for _, c := range containers {
		container, _ := c.(map[string]any)
		images[container["name"]] = container["image"]
	}
	if d := cmp.Diff(map[any]any{"order-service": "myorg/order-service:1.3.0", "mesh": "mesh"}, images); d != "" {
		t.Error(d)
	}
}

func TestOnlyARolloutHasAStatusOfItsOwn(t *testing.T) {
	ns := Namespace(t)
	kind := kindOf(t, ns, "rollouts")
	if _, err := apply(t, kind, "slipway", objectOf(t, rollout)); err != nil {
		t.Fatal(err)
	}
	patch := []byte(`{"spec":{"replicas":9},"status":{"stableRS":"abc"}}`)
	got, err := kind.Patch(t.Context(), "order-service", types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if err != nil {
		t.Fatal(err)
	}
	replicas, _, _ := unstructured.NestedInt64(got.Object, "spec", "replicas")
	stable, _, _ := unstructured.NestedString(got.Object, "status", "stableRS")
	if replicas != 5 || stable != "abc" {
		t.Errorf("after a patch of the status: %d replicas, stable %q", replicas, stable)
	}
	templates := kindOf(t, ns, "analysistemplates")
	if _, err := apply(t, templates, "slipway", objectOf(t, template)); err != nil {
		t.Fatal(err)
	}
	if _, err := templates.Patch(t.Context(), "success-rate", types.MergePatchType, []byte(`{"status":{}}`), metav1.PatchOptions{}, "status"); err == nil {
		t.Error("an AnalysisTemplate has a status subresource")
	}
}
