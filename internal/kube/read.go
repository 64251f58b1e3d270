package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"

	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

const (
	acceptJSON     = "application/json"
	acceptMetadata = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1," +
		"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
	acceptMetadataList = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1," +
		"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
)

// Get reads an object in the version that the cluster prefers; fault.NotFound when it is not there.
func (c *Cluster) Get(ctx context.Context, id manifest.ID) (*unstructured.Unstructured, error) {
	r, _, err := c.object(ctx, "get", http.MethodGet, id, "")
	if err != nil {
		return nil, err
	}
	a, err := c.call(ctx, r)
	if err != nil {
		return nil, err
	}
	return decodeObject(r, a)
}

// Metadata reads an object's metadata only; fault.NotFound when it is not there.
func (c *Cluster) Metadata(ctx context.Context, id manifest.ID) (*metav1.PartialObjectMetadata, error) {
	r, s, err := c.object(ctx, "get metadata of", http.MethodGet, id, "")
	if err != nil {
		return nil, err
	}
	r.accept = acceptMetadata
	a, err := c.call(ctx, r)
	if err != nil {
		return nil, err
	}
	m := &metav1.PartialObjectMetadata{}
	if err := decodeMetadata(r, a, m); err != nil {
		return nil, err
	}
	m.TypeMeta = typeOf(id.GroupKind(), s.version)
	return m, nil
}

// object is a request for one object.
func (c *Cluster) object(ctx context.Context, verb, method string, id manifest.ID, version string) (request, served, error) {
	s, err := c.resolve(ctx, id.GroupKind(), version)
	if err != nil {
		return request{}, s, fmt.Errorf("%s %s: %w", verb, id, err)
	}
	problem := ""
	switch {
	case len(content.IsPathSegmentName(id.Name)) > 0 || id.Name == "":
		problem = fmt.Sprintf("%.300q is not a name", id.Name)
	case s.namespaced && id.Namespace == "":
		problem = "it needs a namespace"
	case !s.namespaced && id.Namespace != "":
		problem = "its kind has no namespaces"
	case len(content.IsPathSegmentName(id.Namespace)) > 0:
		problem = fmt.Sprintf("%.300q is not a namespace", id.Namespace)
	}
	if problem != "" {
		return request{}, s, fault.New(fault.Invalid, "%s %s: %s", verb, id, problem)
	}
	return request{
		verb: verb, what: id.String(), about: about(id.GroupKind(), id.Namespace, id.Name),
		method: method, path: collection(id.Group, s, id.Namespace) + "/" + id.Name, query: url.Values{}, accept: acceptJSON,
	}, s, nil
}

// about is what is known of an object whose content is not at hand, for manifest.MaskError.
func about(gk schema.GroupKind, namespace, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gk.WithVersion("v1"))
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}

// collection is the path of all objects of a kind; namespace "" means all of the cluster's.
func collection(group string, s served, namespace string) string {
	p := "/api/" + s.version
	if group != "" {
		p = "/apis/" + group + "/" + s.version
	}
	if namespace != "" {
		p += "/namespaces/" + namespace
	}
	return p + "/" + s.resource
}

func typeOf(gk schema.GroupKind, version string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: schema.GroupVersion{Group: gk.Group, Version: version}.String(), Kind: gk.Kind}
}

func decodeObject(r request, a answer) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(a.body); err != nil {
		// Not wrapped: an error of decoding may quote what it decodes.
		return nil, fault.New(fault.Unavailable, "%s %s: decode answer: %s", r.verb, r.what, manifest.MaskError(err.Error(), r.about))
	}
	return u, nil
}

type protobuf interface{ Unmarshal([]byte) error }

// decodeMetadata reads protobuf, or JSON from an aggregated API that has nothing else.
func decodeMetadata(r request, a answer, into protobuf) error {
	kind, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err == nil && kind == runtime.ContentTypeProtobuf {
		err = decodeProtobuf(a.body, into)
	} else if err == nil {
		err = json.Unmarshal(a.body, into)
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, fmt.Errorf("%s %s: decode answer: %w", r.verb, r.what, err))
	}
	return nil
}

// decodeProtobuf takes Kubernetes' envelope off: four bytes, then a runtime.Unknown with the object in it
// (apimachinery runtime/serializer/protobuf).
func decodeProtobuf(body []byte, into protobuf) error {
	const magic = "k8s\x00"
	if len(body) < len(magic) || string(body[:len(magic)]) != magic {
		return fmt.Errorf("protobuf without its prefix")
	}
	var envelope runtime.Unknown
	if err := envelope.Unmarshal(body[len(magic):]); err != nil {
		return err
	}
	return into.Unmarshal(envelope.Raw)
}
