//go:build cluster

package drift

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/app"
)

// widgets is a CRD of the test's own group: two versions, fields of any kind, no status subresource.
const widgets = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
  - name: v1beta1
    served: true
    storage: STORAGE1
    schema: &schema
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {size: {type: integer, default: 3}}}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
  - name: v1
    served: true
    storage: STORAGE2
    schema: *schema
`

func TestCustomResourcesAreComparedAsTheyAre(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	group := r.Namespace[len(r.Namespace)-5:] + ".example.com"
	crd := strings.NewReplacer("GROUP", group, "STORAGE1", "true", "STORAGE2", "false").Replace(widgets)
	r.clusterWide("apiextensions.k8s.io", "v1", "customresourcedefinitions", crd)
	crds := r.Others.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	r.Eventually("the kind is served", func() bool {
		u, err := crds.Get(t.Context(), "widgets."+group, metav1.GetOptions{})
		return err == nil && strings.Contains(string(mustJSON(u.Object)), `"type":"Established"`)
	})
	plural := "widgets." + group
	r.selfHeal()
	r.push("---\napiVersion: " + group + "/v1beta1\nkind: Widget\nmetadata: {name: w}\nspec: {free: {deep: [1, 2]}, ratio: 1.0}\n")
	r.Eventually("discovery knows the kind too", func() bool { return r.deploy.Sync(t.Context(), r.app.Key(), false) == nil })
	r.want("after the sync", found(r.sweep()), nil)

	r.merge(plural, "w", "controller", `{"status":{"phase":"Ready"}}`)
	r.want("its controller writes a status where there is no subresource", found(r.sweep()), nil)

	r.merge(plural, "w", "kubectl-edit", `{"spec":{"free":{"deep":[1,3]}}}`)
	r.want("an unknown field is edited", found(r.sweep()), []string{"Drifted Widget/w healed .spec.free.deep[1] by kubectl-edit"})

	r.merge(plural, "w", "kubectl-edit", `{"spec":{"more":true,"size":9}}`)
	r.want("unknown fields are added", found(r.sweep()), []string{"Foreign Widget/w .spec.more by kubectl-edit", "Foreign Widget/w .spec.size by kubectl-edit"})

	_, err := crds.Patch(t.Context(), "widgets."+group, types.JSONPatchType,
		[]byte(`[{"op":"replace","path":"/spec/versions/0/storage","value":false},{"op":"replace","path":"/spec/versions/1/storage","value":true}]`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r.merge(plural, "w", "migrator", `{}`) // what the storage version migrator does
	r.Take()
	r.want("the storage version changes", found(r.sweep()), nil)
	r.want("written", r.Take(), nil)
	r.merge("widgets.v1beta1."+group, "w", "kubectl-edit", `{"spec":{"ratio":2.5}}`)
	r.want("an edit in the other version", found(r.sweep()), []string{"Drifted Widget/w healed .spec.ratio by kubectl-edit", "Foreign Widget/w .spec.more by kubectl-edit", "Foreign Widget/w .spec.size by kubectl-edit"})
}

// policy mutates what everybody writes: the image of pods, and an annotation, as a webhook would.
const policy = `apiVersion: admissionregistration.k8s.io/VERSION
kind: MutatingAdmissionPolicy
metadata: {name: NS}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]}
  failurePolicy: Fail
  reinvocationPolicy: Never
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{metadata: Object.metadata{annotations: {"example.com/injected": "yes"}}, data: {"k": "admitted", "injected": "yes"}}'
`

func TestWhatAdmissionChangesIsNoDrift(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	r.webhook(policy)
	r.selfHeal()
	r.sync(configMap("a", "k: v1", "j: v1"))
	if got := r.field(configMaps, "a", ".data.k"); got != "admitted" {
		t.Fatalf("admission left k as %q", got)
	}
	r.Take()
	r.want("after the sync", found(r.sweep()), nil)
	r.restart()
	r.want("after another", found(r.sweep()), nil)
	r.want("written", r.Take(), nil)
	r.merge(configMaps, "a", "kubectl-edit", `{"data":{"j":"edited"}}`)
	r.want("an edit", found(r.sweep()), []string{"Drifted ConfigMap/a healed .data.j by kubectl-edit"})
	r.want("after the heal", found(r.sweep()), nil)
}

func TestHealingIsPausedUntilATime(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	r.selfHeal()
	r.sync(base)
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	r.declare(func(a *app.Application) { a.Annotations = map[string]string{pauseNote: until} })
	r.merge(configMaps, "a", "kubectl-edit", `{"data":{"k":"x"}}`)
	r.Take()
	rep := r.sweep()
	r.want("reported", found(rep), []string{"Drifted ConfigMap/a .data.k by kubectl-edit"})
	if len(rep.Findings) == 1 && !strings.Contains(rep.Findings[0].Because, until) {
		t.Errorf("the reason is %q", rep.Findings[0].Because)
	}
	r.want("written", r.Take(), nil)
	r.declare(func(a *app.Application) {
		a.Annotations = map[string]string{pauseNote: time.Now().Add(-time.Second).UTC().Format(time.RFC3339)}
	})
	r.want("afterwards", found(r.sweep()), []string{"Drifted ConfigMap/a healed .data.k by kubectl-edit"})
}

// No value of a Secret may be in what is found, kept or said (security X).
func TestNoValueOfASecretIsShown(t *testing.T) {
	t.Parallel()
	r := newReal(t)
	r.selfHeal()
	r.declare(beStrict)
	r.sync(base)
	r.merge(secrets, "s", "kubectl-edit", `{"data":{"password":"aHVudGVyMi1lZGl0ZWQ=","extra":"aHVudGVyMi1leHRyYQ=="}}`)
	rep := r.sweep()
	if rep.Healed != 1 {
		t.Fatalf("healed %d: %q", rep.Healed, found(rep))
	}
	r.delete(secrets, "s")
	r.create(secrets, "kubectl-create", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nimmutable: true\nstringData: {password: hunter2-immutable}\n")
	again, err := r.drift.Sweep(t.Context(), app.Cluster{Name: "real"})
	text := string(mustJSON(rep)) + string(mustJSON(again)) + string(mustJSON(r.known()))
	if err != nil {
		text += err.Error()
	}
	for _, secret := range []string{"hunter2", "aHVudGVy"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in %s", secret, text)
		}
	}
	if !strings.Contains(text, ".data.password") {
		t.Errorf("the field is not named in %s", text)
	}
}
