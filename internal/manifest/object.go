// Package manifest is Kubernetes objects as data: what identifies one, in which order they are applied, what digest
// their content has, and what of it may be shown. It reads no file and talks to no cluster.
package manifest

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Object is one rendered object and the file that it came from.
type Object struct {
	*unstructured.Unstructured
	File string // "apps/order-service/templates/deployment.yaml", from the root of the repository
}

// ID identifies an object in a cluster. The version is not part of it: apps/v1 and apps/v1beta1 are one Deployment.
type ID struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// String is "Deployment.apps production/order-service", or "Namespace production".
func (id ID) String() string {
	k := schema.GroupKind{Group: id.Group, Kind: id.Kind}.String()
	if id.Namespace == "" {
		return k + " " + id.Name
	}
	return k + " " + id.Namespace + "/" + id.Name
}

// GroupKind is the object's kind.
func (id ID) GroupKind() schema.GroupKind { return schema.GroupKind{Group: id.Group, Kind: id.Kind} }

// IDOf is what identifies u.
func IDOf(u *unstructured.Unstructured) ID {
	gk := u.GroupVersionKind().GroupKind()
	return ID{Group: gk.Group, Kind: gk.Kind, Namespace: u.GetNamespace(), Name: u.GetName()}
}

// ID is what identifies the object.
func (o Object) ID() ID { return IDOf(o.Unstructured) }

// Rendered is what rendering made of an application's inputs.
type Rendered struct {
	Objects  []Object // in the order of their files; Order sorts them
	Warnings []string // one line each, with file and path
}

// The names that every object of ours carries (design.md 3).
const (
	Label           = "slipway.dev/application" // on the object: prefix and hash of namespace/name; it only selects
	ApplicationNote = "slipway.dev/application" // annotation: namespace/name in full
	DigestNote      = "slipway.dev/digest"      // annotation: digest of the rendered object
	FenceNote       = "slipway.dev/fence"       // annotation, after a takeover; not part of the digest
	AllowPruneNote  = "slipway.dev/allow-prune" // annotation on the Application: agrees to a large prune
	Manager         = "slipway"                 // field manager of everything that sync and drift write
)
