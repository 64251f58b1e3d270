package ownership

import (
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

// Foreign is the fields that others have added to an object and that our applies do not own: a sidecar, hostNetwork, an
// annotation. An item that was added stands for the fields in it. Status and what the control plane writes do not count.
func Foreign(entries []metav1.ManagedFieldsEntry) []Owned {
	ours, _ := Ours(entries)
	mine := parse(ours.FieldsV1)
	var out []Owned
	for _, e := range entries {
		if isOurs(e) || e.Subresource == "status" || controlPlane[e.Manager] {
			continue
		}
		first := len(out)
		parse(e.FieldsV1).walk(nil, func(path []string) {
			if mine.reaches(path) {
				return
			}
			o := Owned{Path: readable(path), Manager: e.Manager, At: at(e), Steps: path}
			for _, p := range out[first:] {
				if rest, ok := strings.CutPrefix(o.Path, p.Path); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
					return
				}
			}
			out = append(out, o)
		})
	}
	return out
}

// Who is the manager, other than us, that owns a field or something in it, and since when; the last writer if several
// do. path is as Paths gives it.
func Who(entries []metav1.ManagedFieldsEntry, path string) (manager string, since time.Time) {
	for _, e := range entries {
		if isOurs(e) {
			continue
		}
		for _, p := range Paths(e.FieldsV1) {
			if within(p, path) || within(path, p) {
				if t := at(e); manager == "" || t.After(since) {
					manager, since = e.Manager, t
				}
				break
			}
		}
	}
	return manager, since
}

// within reports whether path is outer or lies below it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func at(e metav1.ManagedFieldsEntry) time.Time {
	if e.Time == nil {
		return time.Time{}
	}
	return e.Time.Time
}
