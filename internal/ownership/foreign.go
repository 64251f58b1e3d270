package ownership

import (
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Owned is a field and who set it when. Steps are its path in the form of fieldsV1, for Locate.
type Owned struct {
	Path    string
	Manager string
	At      time.Time
	Steps   []string
}

// controlPlane writes into objects of ours as part of what Kubernetes is: the revision of a Deployment, the replicas of
// an autoscaled one, the volume of a claim. None of it is anybody's edit.
var controlPlane = map[string]bool{
	"kube-controller-manager": true, "cloud-controller-manager": true, "kube-scheduler": true, "kubelet": true, "kube-apiserver": true,
}

// unsaid are fields that no manifest of git's is about: what a kind without the subresource reports, and how long an
// object lives on. A finalizer is its controller's promise to clean up: to take it away is to break that.
var unsaid = [][]string{{"f:status"}, {"f:metadata", "f:finalizers"}, {"f:metadata", "f:ownerReferences"}}

// Foreign is the fields that others have added to an object and that our applies do not own: a sidecar, hostNetwork, an
// annotation. An item or a map that was added stands for what is in it. Status, finalizers and owners do not count, nor
// what the control plane writes, nor what the API server made up when it had no managed fields.
func Foreign(entries []metav1.ManagedFieldsEntry) []Owned {
	var mine tree
	var out []Owned
	for _, e := range entries {
		if isOurs(e) || e.Subresource == "status" || controlPlane[e.Manager] || e.Manager == beforeFirstApply {
			continue
		}
		if mine == nil {
			ours, _ := Ours(entries)
			mine = parse(ours.FieldsV1)
		}
		var last []string
		parse(e.FieldsV1).walk(nil, func(path []string) {
			if mine.reaches(path) || last != nil && begins(path, last) || slices.ContainsFunc(unsaid, func(u []string) bool { return begins(path, u) }) {
				return
			}
			last = path
			out = append(out, Owned{Path: readable(path), Manager: e.Manager, At: at(e), Steps: path})
		})
	}
	return out
}

// Parts is what o's manager owns in it, as Foreign would tell it: none if o is owned in one piece.
func (o Owned) Parts(entries []metav1.ManagedFieldsEntry) []Owned {
	var out []Owned
	var last []string
	for _, e := range entries {
		if e.Manager != o.Manager || isOurs(e) || e.Subresource == "status" || !at(e).Equal(o.At) {
			continue
		}
		parse(e.FieldsV1).walk(nil, func(path []string) {
			if len(path) == len(o.Steps) || !begins(path, o.Steps) || last != nil && begins(path, last) {
				return
			}
			last = path
			out = append(out, Owned{Path: readable(path), Manager: e.Manager, At: at(e), Steps: path})
		})
	}
	return out
}

func begins(path, with []string) bool {
	return len(path) >= len(with) && slices.Equal(path[:len(with)], with)
}

// Who is the manager, other than our applies, that owns a field of obj, or something in it, or the atomic list or map
// that it is in, and since when; the last writer if several do. pointer is the field's JSON pointer in obj. Nobody owns
// what somebody has removed.
func Who(entries []metav1.ManagedFieldsEntry, obj map[string]any, pointer string) (manager string, since time.Time) {
	for _, e := range entries {
		if isOurs(e) || !parse(e.FieldsV1).touches(nil, obj, pointer) {
			continue
		}
		if t := at(e); manager == "" || t.After(since) {
			manager, since = e.Manager, t
		}
	}
	return manager, since
}

// touches reports whether an element of the set is at or below pointer, or is a leaf above it.
func (t tree) touches(path []string, obj map[string]any, pointer string) bool {
	for _, k := range slices.Sorted(maps.Keys(t)) {
		if k == itself {
			continue
		}
		here := append(slices.Clip(path), k)
		p, _, ok := Locate(obj, here)
		_, dot := t[k][itself]
		leaf := len(t[k]) == 0
		switch {
		case !ok:
		case p == pointer || strings.HasPrefix(p, pointer+"/"):
			if leaf || dot || t[k].touches(here, obj, pointer) {
				return true
			}
		case strings.HasPrefix(pointer, p+"/"):
			if leaf || t[k].touches(here, obj, pointer) {
				return true
			}
		}
	}
	return false
}

func at(e metav1.ManagedFieldsEntry) time.Time {
	if e.Time == nil {
		return time.Time{}
	}
	return e.Time.Time
}
