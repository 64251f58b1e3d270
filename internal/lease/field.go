package lease

import (
	"slices"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// Annotations of the Rollout and of what it writes.
const (
	// fenceNote is how a rollout makes its writes meet those of an older run (rule 5 of its protocol).
	fenceNote      = "slipway.dev/rollout-fence"
	revisionNote   = "rollout.argoproj.io/revision"            // argo-rollouts utils/annotations
	generationNote = "rollout.argoproj.io/workload-generation" // the same
)

// Field is one field that a Rollout holds.
type Field struct {
	Holder manifest.ID
	Path   []any // keys and, in lists, places in what git says
	// Value is what must be sent for it, as it is live, because the API server keeps it in one piece with what git says;
	// nil for a field of its own, which is left to who owns it.
	Value any
	// Postponed: it is held for a while, and what git says is due afterwards.
	Postponed bool
}

// Fields are the fields that the lease is about, of an object as git says it and as it is live.
func (l Lease) Fields(said, live *unstructured.Unstructured) []Field {
	note := func(keys ...string) (out []Field) {
		for _, k := range keys {
			out = append(out, Field{Holder: l.Holder, Path: []any{"metadata", "annotations", k}})
		}
		return out
	}
	switch l.role {
	case service:
		return append(note(v1alpha1.ManagedByRolloutsKey, fenceNote), l.selector(said, live)...)
	case route:
		out := note(fenceNote)
		for _, w := range l.router.Kept(said, live) {
			out = append(out, Field{Holder: l.Holder, Path: []any{"spec", "rules", w.Rule, "backendRefs", w.Ref, "weight"}, Value: w.Value})
		}
		return out
	case workload:
		return []Field{{Holder: l.Holder, Path: []any{"spec", "replicas"}}}
	case itself:
	}
	out := note(revisionNote, generationNote, fenceNote)
	if Postponed(said, live) {
		for _, part := range []string{"template", "strategy"} {
			out = append(out, Field{Holder: l.Holder, Path: []any{"spec", part}, Postponed: true})
		}
	}
	return out
}

// Replicas reports whether the lease is about the replicas of a workload.
func (l Lease) Replicas() bool { return l.role == workload }

// selector is the one key of a Service's selector that a rollout moves. A selector is one piece, so a change that git
// makes beside it must carry it.
func (l Lease) selector(said, live *unstructured.Unstructured) []Field {
	_, says, _ := unstructured.NestedMap(said.Object, "spec", "selector")
	hash, has, _ := unstructured.NestedString(live.Object, "spec", "selector", v1alpha1.DefaultRolloutUniqueLabelKey) // of another type: none
	if !says || !has {
		return nil
	}
	return []Field{{Holder: l.Holder, Path: []any{"spec", "selector", v1alpha1.DefaultRolloutUniqueLabelKey}, Value: hash}}
}

// written is by kind where somebody else must have written for a lease to matter.
var written = map[schema.GroupKind][][]string{
	{Kind: "Service"}: {{"f:spec", "f:selector"}, {"f:metadata", "f:annotations"}},
	{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}: {{"f:spec", "f:rules"}, {"f:metadata", "f:annotations"}},
	{Group: "argoproj.io", Kind: "Rollout"}:                 {{"f:metadata", "f:annotations"}},
	{Group: "apps", Kind: "Deployment"}:                     {{"f:spec", "f:replicas"}},
	{Group: "apps", Kind: "ReplicaSet"}:                     {{"f:spec", "f:replicas"}},
}

// May reports whether a Rollout may hold something of an object that has these managed fields: it saves asking for
// Rollouts for all that nobody else has written to. Without any it is not known who has.
func May(gk schema.GroupKind, entries []metav1.ManagedFieldsEntry) bool {
	paths := written[gk]
	if len(entries) == 0 {
		return len(paths) > 0
	}
	return slices.ContainsFunc(entries, func(e metav1.ManagedFieldsEntry) bool {
		ours := e.Manager == manifest.Manager && e.Operation == metav1.ManagedFieldsOperationApply
		return !ours && slices.ContainsFunc(paths, func(p []string) bool { return ownership.SetOf(e).Reaches(p) })
	})
}
