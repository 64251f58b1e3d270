package rollout

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"slipway/internal/manifest"
)

// The annotations that Argo Rollouts and its plugin read (utils/annotations/annotations.go).
const (
	revisionNote = "rollout.argoproj.io/revision"         // on the Rollout and on ReplicaSets
	historyNote  = "rollout.argoproj.io/revision-history" // "1,4": revisions that a ReplicaSet also was
	desiredNote  = "rollout.argoproj.io/desired-replicas" // spec.replicas when the ReplicaSet was last scaled
	deadlineNote = v1alpha1.DefaultReplicaSetScaleDownDeadlineAnnotationKey
	hashLabel    = v1alpha1.DefaultRolloutUniqueLabelKey
)

// kept are the annotations of the Rollout that are not copied to its ReplicaSets (utils/annotations), and those by which
// the sync knows its own objects: a ReplicaSet is none of them.
var kept = []string{
	"kubectl.kubernetes.io/last-applied-configuration", revisionNote, historyNote, desiredNote,
	manifest.ApplicationNote, manifest.DigestNote, manifest.FenceNote,
}

// hashOf is the hash that a ReplicaSet's pods carry; "" of none.
func hashOf(rs *appsv1.ReplicaSet) string {
	if rs == nil {
		return ""
	}
	return rs.Labels[hashLabel]
}

// wanted is how many pods a ReplicaSet is told to have.
func wanted(rs *appsv1.ReplicaSet) int32 {
	switch {
	case rs == nil:
		return 0
	case rs.Spec.Replicas == nil:
		return 1
	}
	return *rs.Spec.Replicas
}

// available is how many of its pods serve; pods that are about to go do not count, so never more than are wanted.
func available(rs *appsv1.ReplicaSet) int32 {
	if rs == nil {
		return 0
	}
	return min(rs.Status.AvailableReplicas, wanted(rs))
}

// revisionOf is 0 where a ReplicaSet has none.
func revisionOf(rs *appsv1.ReplicaSet) int64 {
	n, err := strconv.ParseInt(rs.Annotations[revisionNote], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// newest sorts the latest revision first; of equal ones the one made last.
func newest(a, b *appsv1.ReplicaSet) int {
	return cmp.Or(
		cmp.Compare(revisionOf(b), revisionOf(a)),
		b.CreationTimestamp.Compare(a.CreationTimestamp.Time),
		cmp.Compare(a.Name, b.Name),
	)
}

// ownedBy reports whether the Rollout controls a ReplicaSet, not only another of its name that has gone.
func ownedBy(ro *v1alpha1.Rollout, rs *appsv1.ReplicaSet) bool {
	ref := metav1.GetControllerOf(rs)
	return ref != nil && ref.UID == ro.UID
}

// adoptable reports whether a ReplicaSet that nobody controls is the Rollout's: it was orphaned when the Rollout was
// deleted without its dependents, or restored without owner references.
func adoptable(ro *v1alpha1.Rollout, rs *appsv1.ReplicaSet) bool {
	if metav1.GetControllerOf(rs) != nil || rs.DeletionTimestamp != nil {
		return false
	}
	selector, err := metav1.LabelSelectorAsSelector(ro.Spec.Selector)
	return err == nil && rs.Name == ro.Name+"-"+hashOf(rs) && selector.Matches(labels.Set(rs.Spec.Template.Labels))
}

// newReplicaSet is a ReplicaSet of the Rollout's template as Argo Rollouts makes it (rollout/sync.go), with no pods yet.
func newReplicaSet(ro *v1alpha1.Rollout, hash, digest string, revision int64) *appsv1.ReplicaSet {
	template := ro.Spec.Template.DeepCopy()
	if template.Labels == nil {
		template.Labels = map[string]string{}
	}
	template.Labels[hashLabel] = hash
	selector := ro.Spec.Selector.DeepCopy()
	if selector.MatchLabels == nil {
		selector.MatchLabels = map[string]string{}
	}
	selector.MatchLabels[hashLabel] = hash
	notes := maps.Clone(ro.Annotations)
	maps.DeleteFunc(notes, func(k, _ string) bool { return slices.Contains(kept, k) })
	if notes == nil {
		notes = map[string]string{}
	}
	notes[revisionNote], notes[desiredNote], notes[templateNote] = strconv.FormatInt(revision, 10), strconv.Itoa(int(Replicas(ro))), digest
	return &appsv1.ReplicaSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "ReplicaSet"},
		ObjectMeta: metav1.ObjectMeta{
			Name: ro.Name + "-" + hash, Namespace: ro.Namespace, Labels: maps.Clone(template.Labels), Annotations: notes,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(ro, v1alpha1.SchemeGroupVersion.WithKind("Rollout"))},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: new(int32), MinReadySeconds: ro.Spec.MinReadySeconds, Selector: selector, Template: *template},
	}
}

// raise gives a ReplicaSet that becomes the current one again the next revision number, and remembers the old one.
func raise(rs *appsv1.ReplicaSet, revision int64) {
	if old := revisionOf(rs); old > 0 {
		history := strconv.FormatInt(old, 10)
		if before := rs.Annotations[historyNote]; before != "" {
			history = before + "," + history
		}
		note(rs, historyNote, history)
	}
	note(rs, revisionNote, strconv.FormatInt(revision, 10))
}

// note sets an annotation, or removes it where the value is empty.
func note(rs *appsv1.ReplicaSet, key, value string) {
	if value == "" {
		delete(rs.Annotations, key)
		return
	}
	if rs.Annotations == nil {
		rs.Annotations = map[string]string{}
	}
	rs.Annotations[key] = value
}
