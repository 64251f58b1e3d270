package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Patch changes that very object in that state by a JSON patch (RFC 6902) and returns it as it is then: how what others
// added is removed, which no apply of ours can do. ops is the patch. Another state or another object is fault.Conflict,
// also when the patch does not fit it; a patch that does not fit the state it was made for is fault.Invalid.
//
// What ops sets becomes owned by an Update entry of our name; what they remove, and items they remove from a list that
// has keys, leave no entry.
func (c *Cluster) Patch(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string, ops []byte) (*unstructured.Unstructured, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(ops, &list); err != nil || len(list) == 0 {
		return nil, fault.New(fault.Internal, "patch %s: %.100q is no JSON patch", id, ops)
	}
	r, a, err := c.patch(ctx, "patch", id, uid, resourceVersion, acceptJSON, list)
	var s *refused
	if errors.As(err, &s) && s.status == http.StatusUnprocessableEntity && fault.Is(err, fault.Invalid) {
		// The server patches whatever is there and then compares the resourceVersion: paths may be gone.
		if m, e := c.Metadata(ctx, id); e == nil && (m.UID != uid || m.ResourceVersion != resourceVersion) {
			return nil, fault.Wrap(fault.Conflict, err)
		}
	}
	if err != nil {
		return nil, err
	}
	live, err := decodeObject(r, a)
	if err != nil {
		return nil, fault.InFlight(err) // it was done
	}
	return live, nil
}

// operation is one of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// patch sends a JSON patch for that very object in that state. A resourceVersion in it is the optimistic lock, as in
// client-go (util/csaupgrade).
func (c *Cluster) patch(ctx context.Context, verb string, id manifest.ID, uid types.UID, resourceVersion, accept string, ops []json.RawMessage) (request, answer, error) {
	if uid == "" || resourceVersion == "" {
		return request{}, answer{}, fault.New(fault.Internal, "%s %s: without uid and resourceVersion", verb, id)
	}
	r, _, err := c.object(ctx, verb, http.MethodPatch, id, "")
	if err != nil {
		return r, answer{}, err
	}
	for _, lock := range []operation{
		{"replace", "/metadata/uid", uid}, // not a test: a test that fails is a 422 without a reason
		{"replace", "/metadata/resourceVersion", resourceVersion},
	} {
		raw, err := json.Marshal(lock)
		if err != nil {
			return r, answer{}, fmt.Errorf("%s %s: %w", verb, id, err)
		}
		ops = append(ops, raw)
	}
	if r.body, err = json.Marshal(ops); err != nil {
		return r, answer{}, fmt.Errorf("%s %s: %w", verb, id, err)
	}
	r.content, r.accept = string(types.JSONPatchType), accept
	r.query.Set("fieldManager", manifest.Manager)
	a, err := c.call(ctx, r)
	return r, a, err
}
