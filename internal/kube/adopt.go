package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

type patch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// Adopt replaces the managed fields of that very object in that state, so that what kubectl or Argo CD applied becomes
// ours, and returns the new resourceVersion. The way is client-go's (util/csaupgrade): a resourceVersion in the patch is
// the optimistic lock. Another state or another object is fault.Conflict.
func (c *Cluster) Adopt(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string, entries []metav1.ManagedFieldsEntry) (string, error) {
	if uid == "" || resourceVersion == "" || len(entries) == 0 { // no entries would clear the managed fields
		return "", fault.New(fault.Internal, "adopt %s: without uid, resourceVersion and managed fields", id)
	}
	r, _, err := c.object(ctx, "adopt", http.MethodPatch, id, "")
	if err != nil {
		return "", err
	}
	r.body, err = json.Marshal([]patch{
		{"replace", "/metadata/managedFields", entries},
		{"replace", "/metadata/uid", uid}, // not a test: a test that fails is a 422 without a reason
		{"replace", "/metadata/resourceVersion", resourceVersion},
	})
	if err != nil {
		return "", fmt.Errorf("adopt %s: %w", id, err)
	}
	r.content, r.accept = string(types.JSONPatchType), acceptMetadata
	r.query.Set("fieldManager", manifest.Manager)
	a, err := c.call(ctx, r)
	if err != nil {
		return "", err
	}
	var m metav1.PartialObjectMetadata
	if err := decodeMetadata(r, a, &m); err != nil {
		return "", fault.InFlight(err)
	}
	return m.ResourceVersion, nil
}
