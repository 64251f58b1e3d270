package kube

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/secret"
)

// Proxy is the way to the API server's service proxy: its URL, and what puts TLS and the cluster's credentials to a
// request. Whoever is given it may do what the credentials may, so only paths of services/proxy may be asked with it.
func (c *Cluster) Proxy() (*url.URL, http.RoundTripper) {
	u := *c.base
	return &u, c.http.Transport
}

// Secret is one value of a Secret; fault.NotFound when it or the key is not there.
func (c *Cluster) Secret(ctx context.Context, namespace, name, key string) (secret.Value, error) {
	id := manifest.ID{Kind: "Secret", Namespace: namespace, Name: name}
	u, err := c.Get(ctx, id)
	if err != nil {
		return secret.Value{}, err
	}
	text, ok, _ := unstructured.NestedString(u.Object, "data", key) // of another type: none
	if !ok {
		return secret.Value{}, fault.New(fault.NotFound, "get %s: it has no key %.253q", id, key)
	}
	value, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return secret.Value{}, fault.New(fault.Invalid, "get %s: key %.253q is not base64", id, key)
	}
	return secret.Of(string(value)), nil
}
