package kube

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

const terminateTime = 20 * time.Second

// EnsureNamespace makes the namespace if it is missing, without our label: like Argo CD's CreateNamespace it is never
// pruned. One that is being terminated is waited for, at most 20 s, then it is fault.Unavailable.
func (c *Cluster) EnsureNamespace(ctx context.Context, name string) (created bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, terminateTime)
	defer cancel()
	id := manifest.ID{Kind: "Namespace", Name: name}
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{"name": name, "resourceVersion": "1"},
	}}
	err = poll(ctx, "create "+id.String(), func() (string, error) {
		m, err := c.Metadata(ctx, id) // reads first: in most syncs it is there, and a read is not a write
		switch {
		case err == nil && m.DeletionTimestamp == nil:
			return "", nil
		case err == nil:
			return "it is being terminated", nil
		case !fault.Is(err, fault.NotFound):
			return "", err
		}
		_, _, err = c.Apply(ctx, u, false)
		if fault.Is(err, fault.Conflict) {
			return "somebody else created it", nil
		}
		created = err == nil
		return "", err
	})
	return created, err
}
