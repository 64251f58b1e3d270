package ownership

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func entryOf(manager string, op metav1.ManagedFieldsOperationType, sub, fields string) metav1.ManagedFieldsEntry {
	at := metav1.NewTime(time.Date(2026, 1, len(manager)%28+1, 0, 0, 0, 0, time.UTC))
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: op, Subresource: sub, APIVersion: "apps/v1", FieldsType: "FieldsV1", Time: &at, FieldsV1: metav1.NewFieldsV1(fields)}
}

const ourFields = `{"f:metadata":{"f:labels":{"f:slipway.dev/application":{}},"f:annotations":{"f:a":{}}},"f:spec":{"f:replicas":{},"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:name":{},"f:image":{}}}}}`

func TestWhatOthersHaveAddedIsNamed(t *testing.T) {
	const update, apply = metav1.ManagedFieldsOperationUpdate, metav1.ManagedFieldsOperationApply
	for name, c := range map[string]struct {
		entry metav1.ManagedFieldsEntry
		want  []string
	}{
		"nothing of ours":          {entryOf("kubectl", update, "", ourFields), nil},
		"a sidecar is one":         {entryOf("kubectl-edit", update, "", `{"f:spec":{"f:containers":{"k:{\"name\":\"side\"}":{".":{},"f:name":{},"f:image":{}}}}}`), []string{`.spec.containers[name="side"] kubectl-edit`}},
		"a field of an item":       {entryOf("kubectl-edit", update, "", `{"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{"f:command":{}}}}}`), []string{`.spec.containers[name="web"].command kubectl-edit`}},
		"a map with its fields":    {entryOf("other", apply, "", `{"f:spec":{"f:nodeSelector":{".":{},"f:disk":{}},"f:nodeSelectorTerm":{}}}`), []string{".spec.nodeSelector other", ".spec.nodeSelectorTerm other"}},
		"the map that we are in":   {entryOf("other", update, "", `{"f:metadata":{"f:annotations":{".":{},"f:b":{}}}}`), []string{".metadata.annotations.b other"}},
		"through scale":            {entryOf("kubectl", update, "scale", `{"f:spec":{"f:paused":{}}}`), []string{".spec.paused kubectl"}},
		"status by subresource":    {entryOf("kubectl", update, "status", `{"f:spec":{"f:x":{}}}`), nil},
		"status without":           {entryOf("operator", update, "", `{"f:status":{"f:phase":{}}}`), nil},
		"finalizers":               {entryOf("operator", update, "", `{"f:metadata":{"f:finalizers":{".":{},"v:\"x\"":{}},"f:ownerReferences":{".":{}}}}`), nil},
		"the control plane":        {entryOf("kube-controller-manager", update, "", `{"f:spec":{"f:volumeName":{}}}`), nil},
		"what the server makes up": {entryOf("before-first-apply", update, "", `{"f:spec":{"f:strategy":{}}}`), nil},
		"our name by update":       {entryOf("slipway", update, "", `{"f:spec":{"f:x":{}}}`), []string{".spec.x slipway"}},
		"no set of fields":         {entryOf("other", update, "", `[]`), nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, o := range Foreign([]metav1.ManagedFieldsEntry{entryOf("slipway", apply, "", ourFields), c.entry}) {
				got = append(got, o.Path+" "+o.Manager)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTheLastWriterOfAFieldIsNamed(t *testing.T) {
	obj := map[string]any{"spec": map[string]any{"replicas": int64(3), "selector": map[string]any{"a": "b"}, "containers": []any{
		map[string]any{"name": "side"}, map[string]any{"name": "web", "image": "x", "ports": []any{map[string]any{"containerPort": int64(80), "protocol": "TCP"}}},
	}}}
	entries := []metav1.ManagedFieldsEntry{
		entryOf("slipway", metav1.ManagedFieldsOperationApply, "", ourFields),
		entryOf("first", metav1.ManagedFieldsOperationUpdate, "", `{"f:spec":{"f:replicas":{}}}`),
		entryOf("later one", metav1.ManagedFieldsOperationUpdate, "scale", `{"f:spec":{"f:replicas":{}}}`),
		entryOf("edit", metav1.ManagedFieldsOperationUpdate, "", `{"f:spec":{".":{},"f:selector":{},"f:containers":{".":{},"k:{\"name\":\"web\"}":{"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}`),
	}
	for pointer, want := range map[string]string{
		"/spec/replicas": "later one", "/spec/selector/a": "edit", "/spec/selector": "edit", "/spec/containers/1/ports/0/containerPort": "edit",
		"/spec/containers/1/ports": "edit", "/spec/containers/1/image": "", "/spec/containers/0": "", "/spec/other": "",
	} {
		if got, at := Who(entries, obj, pointer); got != want || want != "" && at.IsZero() {
			t.Errorf("%s was set by %q at %s, want %q", pointer, got, at, want)
		}
	}
}
