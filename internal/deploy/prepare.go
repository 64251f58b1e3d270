package deploy

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/ignore"
	"slipway/internal/manifest"
)

// desired is an application's whole new set, in apply order.
type desired struct {
	application app.Application
	cluster     Cluster
	items       []item
	declared    []manifest.Object         // Applications and the like: they go to the registry
	files       map[string][]byte         // the inputs, for line numbers in errors
	namespaces  map[string]bool           // Namespaces of the set
	crds        map[schema.GroupKind]bool // kinds that the set itself defines: whether they are namespaced
	respected   ignore.Rules              // what is ignored, where syncs respect that
	scalers     *scalers
	leases      *leases
}

// item is one object of the set, stamped but for its fence and preconditions.
type item struct {
	manifest.Object
	id     manifest.ID
	digest string
}

// open reads the bundle of a digest and makes each object of it ready to be compared.
func (d *Deploy) open(ctx context.Context, name app.Name, digest string, note func(format string, args ...any)) (*desired, error) {
	data, err := d.Blobs.Get(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("read bundle of %s: %w", name, err)
	}
	in, err := app.DecodeInputs(data)
	if err != nil {
		return nil, fmt.Errorf("open bundle of %s: %w", name, err)
	}
	return d.desire(ctx, in, note)
}

// desire renders inputs for their destination and orders the result. note gets one line for each thing that was
// tolerated.
func (d *Deploy) desire(ctx context.Context, in app.Inputs, note func(format string, args ...any)) (*desired, error) {
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
	for _, w := range rendered.Warnings {
		note("%s", w)
	}
	if len(rendered.Objects) == 0 && !in.Application.Sync.AllowEmpty {
		return nil, fault.New(fault.Invalid, "render %s: nothing was rendered from %s; nothing is pruned (syncPolicy.automated.allowEmpty allows it)",
			in.Application.Key(), in.Application.Source.Path) // argo-cd auto_sync.md, allowEmpty
	}
	w := &desired{application: in.Application, cluster: c, files: in.Files, namespaces: map[string]bool{}, crds: map[schema.GroupKind]bool{}, scalers: newScalers(c)}
	if in.Application.Sync.RespectIgnoreDifferences {
		if w.respected, err = ignore.Compile(in.Application.IgnoreDifferences); err != nil {
			return nil, err
		}
	}
	var plain []manifest.Object
	var refused []string
	for _, o := range rendered.Objects {
		if err := manifest.Refuse(o); err != nil {
			refused = append(refused, err.Error())
			continue
		}
		if isDeclaration(o) {
			w.declared = append(w.declared, o)
			continue
		}
		manifest.Normalize(o.Unstructured)
		w.know(o.Unstructured)
		plain = append(plain, o)
	}
	unplaced := w.place(ctx, plain)
	if refused = append(refused, d.claim(plain, note)...); len(refused) > 0 {
		return nil, fault.New(fault.Invalid, "%s", listed(refused))
	}
	if unplaced != nil {
		return nil, unplaced
	}
	plain, doubled := manifest.Duplicates(plain)
	for _, w := range doubled {
		note("%s", w)
	}
	manifest.Order(plain)
	for _, o := range plain {
		digest := manifest.DigestOf(o.Unstructured)
		manifest.Stamp(o.Unstructured, string(in.Application.Key()), digest, 0)
		it := item{Object: o, id: o.ID(), digest: digest}
		w.items = append(w.items, it)
		w.scalers.know(it)
	}
	w.leases = newLeases(c, w.items)
	return w, nil
}

// know remembers the Namespaces and CRDs of the set: what needs them cannot be tried before they are there.
func (w *desired) know(u *unstructured.Unstructured) {
	if d, ok := definitionOf(u); ok {
		w.crds[d.kind] = d.namespaced
	} else if isNamespace(manifest.IDOf(u)) {
		w.namespaces[u.GetName()] = true
	}
}

// place gives namespaced objects the destination's namespace where they name none, and cluster-scoped ones none
// (argo-cd.md 2.4.10). A kind that the cluster does not know is NotFound: another application may be about to bring it.
func (w *desired) place(ctx context.Context, objs []manifest.Object) error {
	var missing, homeless []string
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
			homeless = append(homeless, fmt.Sprintf("%s: %s %s: no namespace, and spec.destination.namespace is empty", o.File, gvk.Kind, o.GetName()))
		case o.GetNamespace() == "":
			o.SetNamespace(w.application.Destination.Namespace)
		}
	}
	if len(homeless) > 0 {
		return fault.New(fault.Invalid, "place objects of %s: %s", w.application.Key(), listed(homeless))
	}
	if len(missing) > 0 {
		return fault.New(fault.NotFound, "place objects of %s: %s", w.application.Key(), listed(missing))
	}
	return nil
}

// isDeclaration reports whether an object is one of ours to read, not the cluster's.
func isDeclaration(o manifest.Object) bool {
	gvk := o.GroupVersionKind()
	return gvk.Group == "argoproj.io" && (gvk.Kind == "Application" || gvk.Kind == "ApplicationSet" || gvk.Kind == "AppProject")
}
