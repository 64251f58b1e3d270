package sim

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// client is the cluster as a process reaches it.
type client struct{ *process }

func (c client) List(ctx context.Context, label string, kinds []schema.GroupKind) (out []metav1.PartialObjectMetadata, err error) {
	err = c.call(ctx, call{to: toCluster, name: "list", about: label, app: c.labels[label]}, func(string) error {
		out, err = c.api.List(context.WithoutCancel(ctx), label, kinds)
		c.log("%s lists %d objects of %s", c.name, len(out), c.labels[label])
		return err
	})
	return out, err
}

func (c client) Get(ctx context.Context, id manifest.ID) (out *unstructured.Unstructured, err error) {
	err = c.call(ctx, call{to: toCluster, name: "get", about: id.Name}, func(string) error {
		out, err = c.api.Get(context.WithoutCancel(ctx), id)
		return err
	})
	return out, err
}

func (c client) Apply(ctx context.Context, in *unstructured.Unstructured, dryRun bool) (out *unstructured.Unstructured, _ []string, err error) {
	id, inv := manifest.IDOf(in), invocationOf(ctx)
	name := either(dryRun, "try", "apply")
	err = c.call(ctx, call{to: toCluster, name: name, about: id.Name, app: c.labels[in.GetLabels()[manifest.Label]], write: !dryRun}, func(key string) error {
		if !dryRun && !c.quiet && c.dice.chance(c.temper.controller, key, "controller") {
			c.meddle(id)
		}
		if valueOf(in) == poison {
			return fault.New(fault.Invalid, "apply %s: it is poisoned", id)
		}
		before := c.api.Live(id)
		u, _, err := c.api.Apply(context.WithoutCancel(ctx), in, dryRun)
		out = u
		changed := len(c.api.Take()) > 0
		if !dryRun {
			c.log("%s applies %s = %s by fence %s: %s", c.name, id.Name, valueOf(in), short(inv.fence), outcome(changed, err))
		}
		if changed {
			c.history.wrote(inv, id, before == nil, false)
		}
		return err
	})
	if !dryRun {
		inv.applied(id, err)
	}
	return out, nil, err
}

func (c client) Delete(ctx context.Context, id manifest.ID, uid types.UID, version string) error {
	inv := invocationOf(ctx)
	return c.call(ctx, call{to: toCluster, name: "delete", about: id.Name, write: true}, func(key string) error {
		if !c.quiet && c.dice.chance(c.temper.controller, key, "controller") {
			c.meddle(id)
		}
		err := c.api.Delete(context.WithoutCancel(ctx), id, uid, version)
		changed := len(c.api.Take()) > 0
		c.log("%s deletes %s by fence %s: %s", c.name, id.Name, short(inv.fence), outcome(changed, err))
		if changed {
			c.history.wrote(inv, id, false, true)
		}
		return err
	})
}

func outcome(changed bool, err error) string {
	if err != nil {
		return fault.Of(err).String()
	}
	return either(changed, "done", "nothing to change")
}

func (c client) Target(ctx context.Context) (app.Target, error) {
	return app.Target{KubeVersion: "v1.36.3"}, c.call(ctx, call{to: toCluster, name: "version"}, func(string) error { return nil })
}

func (client) Namespaced(context.Context, schema.GroupKind, string) (bool, error) { return true, nil }

func (client) Established(context.Context, string) error { return nil }

// Adopt and EnsureNamespace are never asked for: nothing here was made by others, and the namespace is there.
func (client) Adopt(_ context.Context, id manifest.ID, _ types.UID, _ string, _ []metav1.ManagedFieldsEntry) (string, error) {
	return "", fault.New(fault.Internal, "adopt %s: everything here is ours", id)
}

// Patch is drift's alone.
func (client) Patch(_ context.Context, id manifest.ID, _ types.UID, _ string, _ []byte) (*unstructured.Unstructured, error) {
	return nil, fault.New(fault.Internal, "patch %s: nobody adds fields here", id)
}

func (client) EnsureNamespace(context.Context, string) (bool, error) { return false, nil }
