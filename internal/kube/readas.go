package kube

import (
	"context"
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// GetAs is Get in one version, "v2" or "v1beta1": what is compared field by field must be read as it was written.
func (c *Cluster) GetAs(ctx context.Context, id manifest.ID, version string) (*unstructured.Unstructured, error) {
	r, _, err := c.object(ctx, "get", http.MethodGet, id, version)
	if err != nil {
		return nil, err
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return nil, err
	}
	return decodeObject(r, a)
}

// autoscaler is the kind whose controller sets the replicas of others. KEDA makes one for each of its objects.
var autoscaler = manifest.ID{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}

// Autoscaled is what the HorizontalPodAutoscalers of a namespace scale, whoever made them. Only kind, group and name of
// what they point to are in the answer.
func (c *Cluster) Autoscaled(ctx context.Context, namespace string) ([]manifest.ID, error) {
	s, err := c.resolve(ctx, autoscaler.GroupKind(), "")
	if unknown(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := request{
		verb: "list", what: autoscaler.Kind, about: about(autoscaler.GroupKind(), "", ""),
		method: http.MethodGet, path: collection(autoscaler.Group, s, namespace), accept: acceptJSON, time: listTime, query: url.Values{},
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return nil, err
	}
	var list unstructured.UnstructuredList
	if err := list.UnmarshalJSON(a.body); err != nil {
		return nil, fault.New(fault.Unavailable, "list %s: the answer is no list", autoscaler.Kind)
	}
	var out []manifest.ID
	for i := range list.Items {
		if id, ok := manifest.ScaleTarget(&list.Items[i]); ok {
			out = append(out, id)
		}
	}
	return out, nil
}
