package ownership

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fixture is the metadata of an object that kube-apiserver 1.36.3 wrote, after what the file's name says was done to it
// (by kubectl 1.32 and, for our own applies, by plain requests). Times were set to one value.
func fixture(t *testing.T, name string) *metav1.PartialObjectMetadata {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	m := &metav1.PartialObjectMetadata{}
	if err := json.Unmarshal(b, m); err != nil {
		t.Fatalf("decode %s: %v", name, err)
	}
	if len(m.ManagedFields) == 0 {
		t.Fatalf("%s has no managed fields", name)
	}
	return m
}

func entry(manager string, op metav1.ManagedFieldsOperationType, fields string) metav1.ManagedFieldsEntry {
	return metav1.ManagedFieldsEntry{Manager: manager, Operation: op, APIVersion: "v1", FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(fields)}
}

const (
	apply  = metav1.ManagedFieldsOperationApply
	update = metav1.ManagedFieldsOperationUpdate
)

const ourLabel = `"f:metadata":{"f:labels":{"f:slipway.dev/application":{}}}`
