package deploy

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// deletionWait is when a run comes back for an object that is still being deleted.
const deletionWait = 5 * time.Second

// meet looks at an object that exists without being in the list of ours, and refuses one that another application holds
// (security P5), until that one lets it go: a manifest that one commit moves between two applications reaches them in any
// order, so the refusal is not final. One that we hold after all, with its label removed by somebody, is taken as it is.
func (r *run) meet(ctx context.Context, c Cluster, s *step) error {
	u, err := readAs(ctx, c, s.id, s.Unstructured)
	if fault.Is(err, fault.NotFound) {
		s.live, s.contact, s.sent, s.left = nil, false, nil, false
		return nil
	}
	if err != nil {
		return fmt.Errorf("get %s: %w", s.id, err)
	}
	m := manifest.MetadataOf(u)
	if other := holderOf(m); other != "" && other != r.name {
		return fault.New(fault.Unavailable, "adopt %s: it belongs to application %s; to hand it over, remove its annotation %s", s.id, other, manifest.ApplicationNote)
	}
	if m.DeletionTimestamp != nil {
		return leaving(s.id)
	}
	s.live = m
	return s.take(ctx, u)
}

// take makes what is sent of what git says and of the object as it was just read.
func (s *step) take(ctx context.Context, live *unstructured.Unstructured) (err error) {
	if s.merge != nil {
		s.sent, s.left, err = s.merge(ctx, live)
	}
	return err
}

// object is a copy of what is sent.
func (s *step) object() *unstructured.Unstructured {
	if s.sent != nil {
		return s.sent.DeepCopy()
	}
	return s.DeepCopy()
}

// holderOf is the application that an object's annotation names, if our applies wrote it: a controller may have copied
// it (a Deployment's annotations go to its ReplicaSets). The label is not asked for: somebody may have removed it.
func holderOf(m *metav1.PartialObjectMetadata) app.Name {
	if _, ours := ownership.Ours(m.ManagedFields); !ours {
		return ""
	}
	return app.Name(m.Annotations[manifest.ApplicationNote])
}

// leaving is the error for an object that is wanted and on its way out: an apply onto it would succeed and vanish with
// it, so the run comes back.
func leaving(id manifest.ID) error {
	return fault.Later(fault.Unavailable, deletionWait, fault.New(fault.Unavailable, "apply %s: the live object is still being deleted", id))
}

// absentNamespace is the destination's namespace if it is not there and will be created by this run.
func (r *run) absentNamespace(ctx context.Context, want *desired, p *plan) (string, error) {
	ns := want.application.Destination.Namespace
	if !want.application.Sync.CreateNamespace || ns == "" || want.namespaces[ns] {
		return "", nil
	}
	used := false
	for _, s := range p.send {
		used = used || s.id.Namespace == ns
	}
	for id := range p.live.ours {
		used = used && id.Namespace != ns // something of ours lives there already
	}
	if !used {
		return "", nil
	}
	_, err := want.cluster.Get(ctx, manifest.ID{Kind: "Namespace", Name: ns})
	if fault.Is(err, fault.NotFound) {
		return ns, nil
	}
	if err != nil {
		return "", fmt.Errorf("get namespace %s: %w", ns, err)
	}
	return "", nil
}

// created is the object as its creation sends it: resourceVersion "1" and no uid make a missing object with Apply
// ownership and answer 409 for one that exists (design.md 2, checked on 1.36.3).
func created(u *unstructured.Unstructured) *unstructured.Unstructured {
	c := u.DeepCopy()
	c.SetUID("")
	c.SetResourceVersion("1")
	return c
}
