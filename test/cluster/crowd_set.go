package cluster

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// CrowdSet is the objects of one application of Crowd as they would be rendered: without our label and annotations.
func CrowdSet(application int) ([]*unstructured.Unstructured, error) {
	var out []*unstructured.Unstructured
	for i := range crowdSize {
		b, err := json.Marshal(crowdObject(application*crowdSize + i).object)
		if err != nil {
			return nil, fmt.Errorf("encode object: %w", err)
		}
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(b); err != nil {
			return nil, fmt.Errorf("decode object: %w", err)
		}
		out = append(out, u)
	}
	return out, nil
}
