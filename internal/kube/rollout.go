package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// rolloutManager is the field manager of what a rollout writes. A sync tells its writes from people's by it, and an
// apply of ours never takes them for its own.
const rolloutManager = "slipway-rollout"

// RolloutClient is a cluster as a rollout uses it: whole objects, and writes that hold an object to the state in which
// it was read. A kind that the cluster does not know is never taken for an object that is gone: it is fault.Invalid,
// with what to install.
type RolloutClient struct{ cluster *Cluster }

// Rollouts is the cluster as a rollout uses it.
func (c *Cluster) Rollouts() *RolloutClient { return &RolloutClient{c} }

// Get reads an object in the version that the cluster prefers; fault.NotFound when it is not there.
func (r *RolloutClient) Get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	u, err := r.cluster.Get(ctx, id)
	return u, missingKind(err)
}

// All is the objects of a kind as they are now, in the version that the cluster prefers: those of one namespace, or of
// all for "", that selector selects, or all for "". Of a kind that the cluster does not know it has none, and the error
// says so: fault.NotFound.
func (r *RolloutClient) All(ctx context.Context, gk schema.GroupKind, namespace, selector string) ([]unstructured.Unstructured, error) {
	s, err := r.cluster.resolve(ctx, gk, "")
	if err != nil {
		return nil, fault.Wrap(fault.Of(err), missingKind(fmt.Errorf("list %s: %w", gk, err)))
	}
	q := request{
		verb: "list", what: gk.String(), about: about(gk, "", ""),
		method: http.MethodGet, path: collection(gk.Group, s, namespace), accept: acceptJSON, time: listTime, query: url.Values{},
	}
	if selector != "" {
		q.query.Set("labelSelector", selector)
	}
	items, err := pages(ctx, r.cluster, q, func(a answer) ([]unstructured.Unstructured, string, error) {
		var list unstructured.UnstructuredList
		if err := list.UnmarshalJSON(a.body); err != nil {
			return nil, "", fault.New(fault.Unavailable, "list %s: the answer is no list", gk)
		}
		for i := range list.Items { // the items of a list do not say it
			list.Items[i].SetGroupVersionKind(gk.WithVersion(s.version))
		}
		return list.Items, list.GetContinue(), nil
	})
	if err != nil {
		return nil, fault.Wrap(fault.Of(err), missingKind(err))
	}
	return items, nil
}

// Changes calls changed for each change of an object of a kind that selector selects, and at first once for each that is
// there. It ends as Cluster.Watch does, with the same errors; whoever calls it again misses nothing.
func (r *RolloutClient) Changes(ctx context.Context, gk schema.GroupKind, selector string, changed func()) error {
	_, err := r.cluster.watch(ctx, gk, selector, "", func(e manifest.Event) error {
		if e.Type != manifest.Bookmark {
			changed()
		}
		return nil
	})
	return err
}

// Create makes an object and returns it as it is then. One that exists is fault.Conflict, whatever it says.
func (r *RolloutClient) Create(ctx context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	id, version := manifest.IDOf(u), u.GroupVersionKind().Version
	q, s, err := r.cluster.object(ctx, "create", http.MethodPost, id, version)
	if err != nil {
		return nil, missingKind(err)
	}
	if q.body, err = json.Marshal(u.Object); err != nil {
		return nil, fault.New(fault.Internal, "create %s: it cannot be written as JSON", id)
	}
	q.about, q.path = u, collection(id.Group, s, id.Namespace)
	return r.write(ctx, q, acceptJSON)
}

// missingKind says what to do about a kind that the cluster does not know, or does not know any more.
func missingKind(err error) error {
	var none *NoKind
	var s *refused
	if !errors.As(err, &none) && (!errors.As(err, &s) || !s.nowhere()) {
		return err
	}
	return fault.Wrap(fault.Invalid, fmt.Errorf("%w; is its definition installed? that of a Rollout and its like: slipway crds | kubectl apply --server-side -f -", err))
}

// RolloutsIn is the Rollouts of a namespace, or of all for "": none where the cluster does not know the kind.
func (c *Cluster) RolloutsIn(ctx context.Context, namespace string) ([]*unstructured.Unstructured, error) {
	items, err := c.Rollouts().All(ctx, schema.GroupKind{Group: "argoproj.io", Kind: "Rollout"}, namespace, "")
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	out := make([]*unstructured.Unstructured, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out, nil
}
