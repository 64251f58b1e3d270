package deploy

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// desired is an application's whole new set, in apply order.
type desired struct {
	application app.Application
	cluster     Cluster
	items       []item
	declared    []manifest.Object // Applications and the like: they go to the registry
	files       map[string][]byte // the inputs, for line numbers in errors
	namespaces  map[string]bool   // Namespaces of the set
	crds        map[schema.GroupKind]bool
}

// item is one object of the set, stamped but for its fence and preconditions.
type item struct {
	manifest.Object
	id     manifest.ID
	digest string
}

// prepare opens what is wanted, renders it and makes each object ready to be compared.
func (r *run) prepare(ctx context.Context) (*desired, error) {
	data, err := r.Blobs.Get(ctx, r.wanted.Digest)
	if err != nil {
		return nil, fmt.Errorf("read bundle of %s: %w", r.name, err)
	}
	in, err := app.DecodeInputs(data)
	if err != nil {
		return nil, fmt.Errorf("open bundle of %s: %w", r.name, err)
	}
	return r.Prepare(ctx, in, &r.report.Notes)
}

// Prepare renders inputs for their destination and orders the result. Notes get one line for each thing that was
// tolerated.
func (d *Deploy) Prepare(ctx context.Context, in app.Inputs, notes *[]string) (*desired, error) {
	c, err := d.Connect(ctx, in.Application.Destination)
	if err != nil {
		return nil, fmt.Errorf("connect to cluster of %s: %w", in.Application.Key(), err)
	}
	target, err := c.Target(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask version of cluster: %w", err)
	}
	rendered, err := d.Renderer.Render(ctx, in, target)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", in.Application.Key(), err)
	}
	*notes = append(*notes, rendered.Warnings...)
	if len(rendered.Objects) == 0 && !in.Application.Sync.AllowEmpty {
		return nil, fault.New(fault.Invalid, "render %s: nothing was rendered from %s; nothing is pruned (syncPolicy.automated.allowEmpty allows it)",
			in.Application.Key(), in.Application.Source.Path) // argo-cd auto_sync.md, allowEmpty
	}
	w := &desired{application: in.Application, cluster: c, files: in.Files, namespaces: map[string]bool{}, crds: map[schema.GroupKind]bool{}}
	var plain []manifest.Object
	for _, o := range rendered.Objects {
		if err := manifest.Refuse(o); err != nil {
			return nil, err
		}
		if isDeclaration(o) {
			w.declared = append(w.declared, o)
			continue
		}
		manifest.Normalize(o.Unstructured)
		w.note(o.Unstructured)
		plain = append(plain, o)
	}
	if err := w.place(ctx, plain); err != nil {
		return nil, err
	}
	plain, doubled := manifest.Duplicates(plain)
	*notes = append(*notes, doubled...)
	manifest.Order(plain)
	for _, o := range plain {
		digest := manifest.DigestOf(o.Unstructured)
		manifest.Stamp(o.Unstructured, string(in.Application.Key()), digest, 0)
		w.items = append(w.items, item{Object: o, id: o.ID(), digest: digest})
	}
	return w, nil
}

// note remembers the Namespaces and CRDs of the set: what needs them cannot be tried before they are there.
func (w *desired) note(u *unstructured.Unstructured) {
	switch gk := u.GroupVersionKind().GroupKind(); gk {
	case schema.GroupKind{Kind: "Namespace"}:
		w.namespaces[u.GetName()] = true
	case schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
		group, _, _ := unstructured.NestedString(u.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(u.Object, "spec", "names", "kind")
		scope, _, _ := unstructured.NestedString(u.Object, "spec", "scope")
		w.crds[schema.GroupKind{Group: group, Kind: kind}] = scope == "Namespaced"
	}
}

// place gives namespaced objects the destination's namespace where they name none, and cluster-scoped ones none
// (argo-cd.md 2.4.10).
func (w *desired) place(ctx context.Context, objs []manifest.Object) error {
	var missing []string
	for _, o := range objs {
		gvk := o.GroupVersionKind()
		namespaced, ours := w.crds[gvk.GroupKind()]
		if !ours {
			var err error
			namespaced, err = w.cluster.Namespaced(ctx, gvk.GroupKind(), gvk.Version)
			if fault.Is(err, fault.NotFound) {
				missing = append(missing, fmt.Sprintf("%s: %s %s: the cluster knows no kind %s in %s", o.File, gvk.Kind, o.GetName(), gvk.Kind, gvk.GroupVersion()))
				continue
			}
			if err != nil {
				return fmt.Errorf("look up kind %s: %w", gvk.GroupKind(), err)
			}
		}
		switch {
		case !namespaced:
			o.SetNamespace("")
		case o.GetNamespace() == "" && w.application.Destination.Namespace == "":
			missing = append(missing, fmt.Sprintf("%s: %s %s: no namespace, and spec.destination.namespace is empty", o.File, gvk.Kind, o.GetName()))
		case o.GetNamespace() == "":
			o.SetNamespace(w.application.Destination.Namespace)
		}
	}
	if len(missing) > 0 {
		return fault.New(fault.Invalid, "place objects of %s: %s", w.application.Key(), strings.Join(missing[:min(len(missing), 10)], "; "))
	}
	return nil
}

// isDeclaration reports whether an object is one of ours to read, not the cluster's.
func isDeclaration(o manifest.Object) bool {
	gvk := o.GroupVersionKind()
	return gvk.Group == "argoproj.io" && (gvk.Kind == "Application" || gvk.Kind == "ApplicationSet" || gvk.Kind == "AppProject")
}
