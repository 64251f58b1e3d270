package rollout

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// identify finds the ReplicaSet of the current template, or makes it, and tells stable from the others.
func (d *decision) identify() error {
	var own []*appsv1.ReplicaSet
	taken := map[string]bool{} // names that belong to somebody else
	for _, rs := range d.in.ReplicaSets {
		switch {
		case rs.DeletionTimestamp != nil:
			taken[rs.Name] = true
			continue
		case !ownedBy(d.ro, rs) && !adoptable(d.ro, rs):
			taken[rs.Name] = true
			continue
		}
		d.before[rs.Name] = rs
		rs = rs.DeepCopy()
		if !ownedBy(d.ro, rs) {
			rs.OwnerReferences = append(rs.OwnerReferences, *metav1.NewControllerRef(d.ro, v1alpha1.SchemeGroupVersion.WithKind("Rollout")))
		}
		own = append(own, rs)
	}
	slices.SortFunc(own, newest)
	digest, err := templateDigest(&d.ro.Spec.Template)
	if err != nil {
		return err
	}
	if err := d.findCurrent(own, digest, taken); err != nil {
		return err
	}
	d.hash = hashOf(d.current)
	// A promotion that ended between its two last writes, before the next template came: the stable Service has moved, so
	// that is what is stable (rules 10 and 11).
	if rs := withHash(own, d.in.Services[d.canary.StableService]); rs != nil && rs != d.current && d.status.StableRS != "" && available(rs) > 0 {
		d.status.StableRS = hashOf(rs)
	}
	for _, rs := range own {
		switch {
		case rs == d.current:
		case hashOf(rs) == d.status.StableRS:
			d.stable = rs
		default:
			d.others = append(d.others, rs)
		}
	}
	if d.status.StableRS != "" && d.status.StableRS == d.hash {
		d.stable = d.current
	}
	return nil
}

// collisions bounds how many hashes are tried; two templates of one Rollout that collide are one in 2^32.
const collisions = 20

func (d *decision) findCurrent(own []*appsv1.ReplicaSet, digest string, taken map[string]bool) error {
	if d.late() {
		// The template has moved on, and a rollback is about what was being rolled out.
		d.current = withHash(own, d.in.Hash)
		if d.current == nil {
			return fmt.Errorf("roll back %s/%s: no ReplicaSet has hash %s", d.ro.Namespace, d.ro.Name, d.in.Hash)
		}
		return nil
	}
	for range collisions {
		hash, err := PodHash(&d.ro.Spec.Template, d.status.CollisionCount)
		if err != nil {
			return err
		}
		rs := withHash(own, hash)
		if rs == nil {
			rs = d.sameTemplate(own, digest)
		}
		switch {
		case rs != nil && (rs.Annotations[templateNote] == "" || rs.Annotations[templateNote] == digest || hashOf(rs) != hash):
			d.adopt(rs, own, digest)
			return nil
		case rs == nil && !taken[d.ro.Name+"-"+hash]:
			d.current = newReplicaSet(d.ro, hash, digest, latest(own)+1)
			d.changes.Revision = d.changedRevision()
			return nil
		}
		n := int32(1) // another template, or another owner, has this name
		if d.status.CollisionCount != nil {
			n += *d.status.CollisionCount
		}
		d.status.CollisionCount = &n
	}
	return fmt.Errorf("name a ReplicaSet for %s/%s: %d names are taken", d.ro.Namespace, d.ro.Name, collisions)
}

// sameTemplate finds the ReplicaSet of a template whose hash is another one: of another version of k8s.io/api, by the digest
// that we wrote, or, since nothing in the spec has changed since, by what the status calls current; and of a template that
// was taken from the ReplicaSet, as kubectl's plugin does to undo, with all that the API server had filled in (Argo compares
// templates after defaulting: utils/replicaset, FindNewReplicaSet).
func (d *decision) sameTemplate(own []*appsv1.ReplicaSet, digest string) *appsv1.ReplicaSet {
	for _, rs := range own {
		if rs.Annotations[templateNote] == digest {
			return rs
		}
	}
	for _, rs := range own {
		template := rs.Spec.Template.DeepCopy()
		delete(template.Labels, hashLabel)
		if equality.Semantic.DeepEqual(template, &d.ro.Spec.Template) {
			return rs
		}
	}
	if d.ro.Status.ObservedGeneration != strconv.FormatInt(d.ro.Generation, 10) || d.ro.Status.CurrentPodHash == "" {
		return nil
	}
	rs := withHash(own, d.ro.Status.CurrentPodHash)
	if rs == nil || rs.Annotations[templateNote] != "" {
		return nil
	}
	return rs
}

// adopt makes a ReplicaSet that exists the current one: an older one gets the next revision.
func (d *decision) adopt(rs *appsv1.ReplicaSet, own []*appsv1.ReplicaSet, digest string) {
	d.current = rs
	if last := latest(slices.DeleteFunc(slices.Clone(own), func(o *appsv1.ReplicaSet) bool { return o == rs })); revisionOf(rs) <= last {
		raise(rs, last+1)
	}
	if rs.Annotations[templateNote] == "" {
		note(rs, templateNote, digest)
	}
	rs.Spec.MinReadySeconds = d.ro.Spec.MinReadySeconds
	d.changes.Revision = d.changedRevision()
}

// changedRevision is the current revision, "" where the Rollout says so already.
func (d *decision) changedRevision() string {
	if r := d.current.Annotations[revisionNote]; r != d.ro.Annotations[revisionNote] {
		return r
	}
	return ""
}

// withHash is the ReplicaSet whose pods carry a hash, nil when there is none.
func withHash(sets []*appsv1.ReplicaSet, hash string) *appsv1.ReplicaSet {
	for _, rs := range sets {
		if hash != "" && hashOf(rs) == hash {
			return rs
		}
	}
	return nil
}

// latest is the highest revision, 0 of none.
func latest(sets []*appsv1.ReplicaSet) int64 {
	n := int64(0)
	for _, rs := range sets {
		n = max(n, revisionOf(rs))
	}
	return n
}

// history deletes the oldest ReplicaSets that hold no pods, over revisionHistoryLimit (10). One that a Service selects
// stays (I5), and so do current and stable, which are not counted.
func (d *decision) history() {
	limit := 10
	if l := d.ro.Spec.RevisionHistoryLimit; l != nil {
		limit = int(*l)
	}
	for i := len(d.others) - 1; i >= limit; i-- {
		rs := d.others[i]
		if wanted(rs) != 0 || wanted(d.before[rs.Name]) != 0 || rs.Status.Replicas != 0 || rs.Status.ObservedGeneration < rs.Generation || d.selected(hashOf(rs)) {
			continue
		}
		d.changes.Delete = append(d.changes.Delete, d.before[rs.Name])
		delete(d.before, rs.Name)
	}
}

// compare turns what was decided about ReplicaSets into changes, scaling up before scaling down.
func (d *decision) compare() {
	sets := append([]*appsv1.ReplicaSet{d.current}, d.others...)
	if d.stable != nil && d.stable != d.current {
		sets = append(sets, d.stable)
	}
	for _, rs := range sets {
		before, existed := d.before[rs.Name]
		switch {
		case !existed && !slices.ContainsFunc(d.changes.Delete, func(gone *appsv1.ReplicaSet) bool { return gone.Name == rs.Name }):
			d.changes.Create = append(d.changes.Create, rs)
		case existed && !same(before, rs):
			d.changes.Update = append(d.changes.Update, rs)
		}
	}
	slices.SortStableFunc(d.changes.Update, func(a, b *appsv1.ReplicaSet) int {
		grows := func(rs *appsv1.ReplicaSet) int { return int(wanted(rs) - wanted(d.before[rs.Name])) }
		return grows(b) - grows(a)
	})
}

// same compares what a decision can change of a ReplicaSet.
func same(a, b *appsv1.ReplicaSet) bool {
	return wanted(a) == wanted(b) && a.Spec.MinReadySeconds == b.Spec.MinReadySeconds &&
		maps.Equal(a.Annotations, b.Annotations) && len(a.OwnerReferences) == len(b.OwnerReferences)
}
