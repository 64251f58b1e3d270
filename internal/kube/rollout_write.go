package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Merge changes that very object in that state by a JSON merge patch (RFC 7386) and returns it as it is then; subresource
// is "" or "status". Another state or another object is fault.Conflict: the patch gets both, or the server would merge
// it into whatever is there, and a verb that a person has just left in the status would be lost (argo-rollouts.md 3).
func (r *RolloutClient) Merge(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion, subresource string, patch []byte) (*unstructured.Unstructured, error) {
	if uid == "" || resourceVersion == "" {
		return nil, fault.New(fault.Internal, "patch %s: without uid and resourceVersion", id)
	}
	body, err := held(patch, uid, resourceVersion)
	if err != nil {
		return nil, fault.New(fault.Internal, "patch %s: it is no merge patch", id)
	}
	q, _, err := r.cluster.object(ctx, "patch", http.MethodPatch, id, "")
	if err != nil {
		return nil, missingKind(err)
	}
	if subresource != "" {
		q.verb, q.path = "patch "+subresource+" of", q.path+"/"+subresource
	}
	q.body = body
	return r.write(ctx, q, string(types.MergePatchType))
}

// held is a merge patch that fits only one state of one object.
func held(patch []byte, uid types.UID, resourceVersion string) ([]byte, error) {
	var top, meta map[string]json.RawMessage
	if err := json.Unmarshal(patch, &top); err != nil {
		return nil, err
	}
	if raw, ok := top["metadata"]; ok {
		if err := json.Unmarshal(raw, &meta); err != nil {
			return nil, err
		}
	} else {
		meta = map[string]json.RawMessage{}
	}
	if top == nil || meta == nil {
		return nil, fmt.Errorf("null removes everything")
	}
	var err error
	for key, value := range map[string]string{"uid": string(uid), "resourceVersion": resourceVersion} {
		if meta[key], err = json.Marshal(value); err != nil {
			return nil, err
		}
	}
	if top["metadata"], err = json.Marshal(meta); err != nil {
		return nil, err
	}
	return json.Marshal(top)
}

// write sends what creates or changes an object, and reads it as it is then.
func (r *RolloutClient) write(ctx context.Context, q request, content string) (*unstructured.Unstructured, error) {
	q.content = content
	q.query.Set("fieldManager", rolloutManager)
	q.query.Set("fieldValidation", metav1.FieldValidationStrict)
	a, err := r.cluster.call(ctx, q)
	if err != nil {
		return nil, err
	}
	live, err := decodeObject(q, a)
	if err != nil {
		return nil, fault.InFlight(err) // it was done
	}
	return live, nil
}

// Remove deletes that very object in that state; its dependents go after it. Another uid or resourceVersion is
// fault.Conflict. One that is gone is no error.
func (r *RolloutClient) Remove(ctx context.Context, id manifest.ID, uid types.UID, resourceVersion string) error {
	return r.cluster.remove(ctx, id, uid, resourceVersion, metav1.DeletePropagationBackground)
}

// Evict deletes a pod by the eviction API, which asks its PodDisruptionBudget first: fault.Busy when that says no.
// Another pod of that name is fault.Conflict. One that is gone is no error.
func (r *RolloutClient) Evict(ctx context.Context, namespace, pod string, uid types.UID) error {
	id := manifest.ID{Kind: "Pod", Namespace: namespace, Name: pod}
	if uid == "" {
		return fault.New(fault.Internal, "evict %s: without uid", id)
	}
	q, _, err := r.cluster.object(ctx, "evict", http.MethodPost, id, "v1")
	if err != nil {
		return err
	}
	q.body, err = json.Marshal(policyv1.Eviction{
		TypeMeta:      metav1.TypeMeta{APIVersion: "policy/v1", Kind: "Eviction"},
		ObjectMeta:    metav1.ObjectMeta{Namespace: namespace, Name: pod},
		DeleteOptions: &metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}},
	})
	if err != nil {
		return fmt.Errorf("evict %s: %w", id, err)
	}
	q.path, q.content = q.path+"/eviction", acceptJSON
	_, err = r.cluster.call(ctx, q)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}
