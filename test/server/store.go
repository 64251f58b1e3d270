package server

import (
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// change is one of an object, as a watch may tell it.
type change struct {
	version       int
	id            manifest.ID
	before, after *unstructured.Unstructured // nil: it was, or is, not there
}

// precondition holds a request that says which object it means, in which state.
func precondition(old *unstructured.Unstructured, uid types.UID, version string, id manifest.ID) error {
	switch {
	case old == nil && (uid != "" || version != "" && version != "1"):
		return fault.New(fault.Conflict, "%s: uid mismatch", id)
	case old == nil:
	case uid != "" && uid != old.GetUID(), version != "" && version != old.GetResourceVersion():
		return fault.New(fault.Conflict, "%s: the object has been modified", id)
	}
	return nil
}

// store keeps u in place of old and returns it as it is then. What does not differ from old is not written. An object that
// is being deleted goes with its last finalizer.
func (s *Server) store(old, u *unstructured.Unstructured) (out *unstructured.Unstructured, changed bool) {
	if old != nil && reflect.DeepEqual(timeless(old), timeless(u)) {
		return old.DeepCopy(), false
	}
	u = begun(old, u)
	u.SetResourceVersion(s.next())
	if old == nil {
		u.SetUID(types.UID("uid-" + u.GetResourceVersion()))
	}
	id := manifest.IDOf(u)
	if u.GetDeletionTimestamp() != nil && len(u.GetFinalizers()) == 0 && old != nil && len(old.GetFinalizers()) > 0 {
		delete(s.objects, id)
		s.log(id, old, nil)
		return u, true
	}
	s.objects[id] = u
	s.log(id, old, u)
	return u.DeepCopy(), true
}

// begun is u with what the server says of its beginning and its generation.
func begun(old, u *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	if old == nil {
		u.SetCreationTimestamp(metav1.Now())
		if counted(u) {
			u.SetGeneration(1)
		}
		return u
	}
	u.SetCreationTimestamp(old.GetCreationTimestamp())
	u.SetGeneration(old.GetGeneration())
	if counted(u) && !reflect.DeepEqual(intent(old), intent(u)) {
		u.SetGeneration(old.GetGeneration() + 1)
	}
	return u
}

// counted reports whether objects of a kind have a generation. Which do is each kind's own code (kubernetes
// pkg/registry, PrepareForCreate); custom kinds all do.
func counted(u *unstructured.Unstructured) bool {
	switch k := u.GroupVersionKind(); k.Group {
	case "apps", "batch", "networking.k8s.io", "policy":
		return true
	case "":
		return k.Kind == "Pod" || k.Kind == "PodTemplate" || k.Kind == "ReplicationController"
	default:
		return !scheme.Scheme.Recognizes(k)
	}
}

// intent is what raises the generation: all but metadata and status, and of a Deployment its annotations too (kubernetes
// pkg/registry/apps/deployment/strategy.go).
func intent(u *unstructured.Unstructured) map[string]any {
	out := map[string]any{}
	for k, v := range u.Object {
		if k != "metadata" && k != "status" {
			out[k] = v
		}
	}
	if u.GetKind() == "Deployment" {
		out["annotations"] = u.GetAnnotations()
	}
	return out
}

// remove deletes an object, or marks it as being deleted where a finalizer holds it.
func (s *Server) remove(id manifest.ID) {
	old := s.objects[id]
	if len(old.GetFinalizers()) > 0 {
		s.terminate(id)
		return
	}
	delete(s.objects, id)
	s.next()
	s.log(id, old, nil)
}

func (s *Server) terminate(id manifest.ID) {
	old := s.objects[id]
	if old.GetDeletionTimestamp() != nil {
		return
	}
	u := old.DeepCopy()
	now, zero := metav1.Now(), int64(0)
	u.SetDeletionTimestamp(&now)
	u.SetDeletionGracePeriodSeconds(&zero)
	if u.GetGeneration() > 0 { // apiserver registry/rest/delete.go BeforeDelete
		u.SetGeneration(u.GetGeneration() + 1)
	}
	u.SetResourceVersion(s.next())
	s.objects[id] = u
	s.log(id, old, u)
}

// log tells the watches of a change at the newest version.
func (s *Server) log(id manifest.ID, before, after *unstructured.Unstructured) {
	s.changes = append(s.changes, change{s.version, id, before, after})
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) wrote(op string, u *unstructured.Unstructured) {
	s.writes = append(s.writes, Write{op, manifest.IDOf(u), u.GetAnnotations()[manifest.FenceNote]})
}
