package server

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Get is kube.Cluster's.
func (s *Server) Get(ctx context.Context, id manifest.ID) (out *unstructured.Unstructured, err error) {
	err = s.do(ctx, "get", func() error {
		if s.objects[id] == nil {
			return fault.New(fault.NotFound, "get %s: not found", id)
		}
		out = s.objects[id].DeepCopy()
		return nil
	})
	return out, err
}

// List is kube.Cluster's.
func (s *Server) List(ctx context.Context, label string, kinds []schema.GroupKind) (out []metav1.PartialObjectMetadata, err error) {
	err = s.do(ctx, "list", func() error {
		out = s.listed(func(u *unstructured.Unstructured, gk schema.GroupKind) bool {
			return u.GetLabels()[manifest.Label] == label && (kinds == nil || slices.Contains(kinds, gk))
		})
		return nil
	})
	return out, err
}

// listed is the metadata of what is to be listed, by kind, namespace and name.
func (s *Server) listed(is func(*unstructured.Unstructured, schema.GroupKind) bool) (out []metav1.PartialObjectMetadata) {
	var ids []manifest.ID
	for id, u := range s.objects {
		if is(u, id.GroupKind()) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b manifest.ID) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, id := range ids {
		out = append(out, *manifest.MetadataOf(s.objects[id].DeepCopy()))
	}
	return out
}

// ours reports whether an object carries a label of ours.
func ours(u *unstructured.Unstructured) bool {
	if u == nil {
		return false
	}
	_, labelled := u.GetLabels()[manifest.Label]
	return labelled
}

// SweepSince is kube.Cluster's, kind by kind: each is a request of its own, so that others may write between two.
func (s *Server) SweepSince(ctx context.Context, kinds []schema.GroupKind,
	known func(kind schema.GroupKind, namespace, name, uid, resourceVersion string) bool,
	page func(kind schema.GroupKind, resourceVersion string, items []metav1.PartialObjectMetadata) error) (manifest.Swept, error) {
	swept := manifest.Swept{Whole: map[schema.GroupKind]string{}, Failed: map[schema.GroupKind]error{}}
	if kinds == nil {
		kinds = s.kinds()
	}
	var failed []error
	for _, gk := range kinds {
		version, items, err := s.sweepKind(ctx, gk, known)
		if err != nil {
			swept.Failed[gk] = err
			failed = append(failed, err)
			continue
		}
		swept.Requests++
		swept.Objects += len(items)
		if version != "" {
			if err := page(gk, version, items); err != nil {
				swept.Failed[gk] = err
				return swept, err
			}
		}
		swept.Whole[gk] = version
	}
	if len(failed) < 2 {
		return swept, errors.Join(failed...)
	}
	return swept, fault.Wrap(fault.Of(failed[0]), errors.Join(failed...))
}

func (s *Server) sweepKind(ctx context.Context, gk schema.GroupKind, known func(schema.GroupKind, string, string, string, string) bool) (version string, items []metav1.PartialObjectMetadata, err error) {
	err = s.do(ctx, "sweep", func() error {
		if s.unknown[gk.Kind] {
			return nil
		}
		if err := s.failing[gk]; err != nil {
			return err
		}
		version = strconv.Itoa(s.version)
		items = s.listed(func(u *unstructured.Unstructured, kind schema.GroupKind) bool { return kind == gk && ours(u) })
		return nil
	})
	for i := range items {
		if m := &items[i]; known != nil && known(gk, m.Namespace, m.Name, string(m.UID), m.ResourceVersion) {
			m.ObjectMeta = metav1.ObjectMeta{Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion}
		}
	}
	return version, items, err
}

// kinds is every kind of which there is an object, in order.
func (s *Server) kinds() (kinds []schema.GroupKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.objects {
		if !slices.Contains(kinds, id.GroupKind()) {
			kinds = append(kinds, id.GroupKind())
		}
	}
	slices.SortFunc(kinds, func(a, b schema.GroupKind) int { return cmp.Compare(a.String(), b.String()) })
	return kinds
}

// Target is kube.Cluster's.
func (s *Server) Target(ctx context.Context) (app.Target, error) {
	return app.Target{KubeVersion: "v1.36.3"}, s.do(ctx, "target", func() error { return nil })
}

// Namespaced is kube.Cluster's. It asks nobody: a real one knows from its discovery.
func (s *Server) Namespaced(_ context.Context, gk schema.GroupKind, _ string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.allowed(manifest.ID{Group: gk.Group, Kind: gk.Kind}); err != nil {
		return false, err
	}
	switch gk.Kind {
	case "Namespace", "CustomResourceDefinition", "ClusterRole":
		return false, nil
	}
	return true, nil
}

// Established is kube.Cluster's: every kind is served at once.
func (s *Server) Established(ctx context.Context, _ string) error {
	return s.do(ctx, "established", func() error { return nil })
}
