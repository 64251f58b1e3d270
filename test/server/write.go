package server

import (
	"context"
	"encoding/json"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Apply is kube.Cluster's. It refuses the one form that Slipway never sends: a write without a condition (protocol rule 12).
func (s *Server) Apply(ctx context.Context, in *unstructured.Unstructured, dryRun bool) (out *unstructured.Unstructured, warnings []string, err error) {
	op, id := "apply", manifest.IDOf(in)
	if dryRun {
		op = "try"
	}
	err = s.do(ctx, op, func() error {
		warnings = s.warning
		if err := s.allowed(id); err != nil {
			return err
		}
		uid, version := in.GetUID(), in.GetResourceVersion()
		if !dryRun && (version == "" || (version == "1") != (uid == "")) {
			return fault.New(fault.Internal, "apply %s: neither a creation nor on condition of uid and resourceVersion", id)
		}
		old := s.objects[id]
		if err := precondition(old, uid, version, id); err != nil {
			return err
		}
		u, err := s.applied(old, in, manifest.Manager)
		if err != nil {
			return err
		}
		if dryRun {
			out = begun(old, u)
			return nil
		}
		out = s.put("apply", old, u)
		return nil
	})
	return out, warnings, err
}

// put stores what a request of ours has made of old.
func (s *Server) put(op string, old, u *unstructured.Unstructured) *unstructured.Unstructured {
	out, changed := s.store(old, u)
	if changed {
		s.wrote(op, out)
	}
	return out
}

func (s *Server) allowed(id manifest.ID) error {
	if s.unknown[id.Kind] || id.Kind == "Unknown" {
		return fault.New(fault.NotFound, "no kind %s", id.GroupKind())
	}
	return s.refused[id]
}

// object is the one that a request means, in the state that it means.
func (s *Server) object(id manifest.ID, uid types.UID, version string) (*unstructured.Unstructured, error) {
	if err := s.allowed(id); err != nil {
		return nil, err
	}
	if uid == "" || version == "" {
		return nil, fault.New(fault.Internal, "%s: without uid and resourceVersion", id)
	}
	old := s.objects[id]
	if old == nil {
		return nil, fault.New(fault.NotFound, "%s: not found", id)
	}
	return old, precondition(old, uid, version, id)
}

// Adopt is kube.Cluster's.
func (s *Server) Adopt(ctx context.Context, id manifest.ID, uid types.UID, version string, entries []metav1.ManagedFieldsEntry) (next string, err error) {
	err = s.do(ctx, "adopt", func() error {
		if len(entries) == 0 {
			return fault.New(fault.Internal, "adopt %s: without managed fields", id)
		}
		old, err := s.object(id, uid, version)
		if err != nil {
			return err
		}
		u := old.DeepCopy()
		u.SetManagedFields(entries)
		if u, err = s.updated(old, u, manifest.Manager); err != nil {
			return err
		}
		next = s.put("adopt", old, u).GetResourceVersion()
		return nil
	})
	return next, err
}

// Patch is kube.Cluster's.
func (s *Server) Patch(ctx context.Context, id manifest.ID, uid types.UID, version string, ops []byte) (out *unstructured.Unstructured, err error) {
	err = s.do(ctx, "patch", func() error {
		old, err := s.object(id, uid, version)
		if err != nil {
			return err
		}
		u, err := patched(old, ops)
		if err != nil {
			return err
		}
		if u, err = s.updated(old, u, manifest.Manager); err != nil {
			return err
		}
		out = s.put("patch", old, u)
		return nil
	})
	return out, err
}

// patched is what a JSON patch makes of old, by the library that the API server uses.
func patched(old *unstructured.Unstructured, ops []byte) (*unstructured.Unstructured, error) {
	patch, err := jsonpatch.DecodePatch(ops)
	if err != nil || len(patch) == 0 {
		return nil, fault.New(fault.Internal, "%.100q is no JSON patch", ops)
	}
	before, err := json.Marshal(old.Object)
	if err != nil {
		return nil, err
	}
	after, err := patch.Apply(before)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err)
	}
	u := &unstructured.Unstructured{}
	return u, u.UnmarshalJSON(after)
}

// Delete is kube.Cluster's.
func (s *Server) Delete(ctx context.Context, id manifest.ID, uid types.UID, version string) error {
	return s.do(ctx, "delete", func() error {
		old, err := s.object(id, uid, version)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		s.remove(id)
		s.writes = append(s.writes, Write{Op: "delete", ID: manifest.IDOf(old)})
		return nil
	})
}

// EnsureNamespace is kube.Cluster's.
func (s *Server) EnsureNamespace(ctx context.Context, name string) (created bool, err error) {
	err = s.do(ctx, "namespace", func() error {
		u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}}
		if s.objects[manifest.IDOf(u)] != nil {
			return nil
		}
		made, err := s.applied(nil, u, manifest.Manager)
		if err != nil {
			return err
		}
		s.put("namespace", nil, made)
		created = true
		return nil
	})
	return created, err
}
