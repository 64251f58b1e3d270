package kube

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Adopt replaces the managed fields of that very object in that state, so that what kubectl or Argo CD applied becomes
// ours, and returns the new resourceVersion. Another state or another object is fault.Conflict.
func (c *Cluster) Adopt(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string, entries []metav1.ManagedFieldsEntry) (string, error) {
	if len(entries) == 0 { // would clear the managed fields
		return "", fault.New(fault.Internal, "adopt %s: without managed fields", id)
	}
	op, err := json.Marshal(operation{"replace", "/metadata/managedFields", entries})
	if err != nil {
		return "", fmt.Errorf("adopt %s: %w", id, err)
	}
	r, a, err := c.patch(ctx, "adopt", id, uid, resourceVersion, acceptMetadata, []json.RawMessage{op})
	if err != nil {
		return "", err
	}
	var m metav1.PartialObjectMetadata
	if err := decodeMetadata(r, a, &m); err != nil {
		return "", fault.InFlight(err)
	}
	return m.ResourceVersion, nil
}
