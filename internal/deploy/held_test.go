package deploy

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
)

// As float64 the last digits of a large number are lost, and no number equals the int64 of a live object.
func TestASnapshotHasTheNumbersThatWereApplied(t *testing.T) {
	const text = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"},"spec":{"large":9007199254740993,"part":0.5,"replicas":3}}`
	items, order, err := decodeSnapshot([]byte(`[{"file":"a.yaml","object":` + text + `}]`))
	if err != nil {
		t.Fatal(err)
	}
	live := &unstructured.Unstructured{}
	if err := live.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	said := items[manifest.ID{Group: "apps", Kind: "Deployment", Name: "a"}]
	if got, err := said.MarshalJSON(); err != nil || len(order) != 1 || string(got) != text+"\n" {
		t.Errorf("%s, error %v", got, err)
	}
	if rescalable(said.Unstructured, live) {
		t.Error("equal replicas differ")
	}
}
