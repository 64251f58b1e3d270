package ownership

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// creators are the managers under which a tool puts whole manifests into a cluster. What they own is what some manifest
// once said, so when git takes over the object, git decides whether it stays. Operation and version do not matter: Argo
// CD writes as argocd-controller by client-side apply (Update) and by server-side apply (Apply), Helm 3 and 4 likewise.
var creators = map[string]bool{
	"kubectl-client-side-apply":     true,
	"kubectl-create":                true,
	"kubectl-replace":               true,
	"kubectl-run":                   true,
	"kubectl-expose":                true,
	"kubectl-autoscale":             true,
	"argocd-controller":             true,
	"argocd-application-controller": true, // before Argo CD 2.5
	"helm":                          true,
	"slipway":                       true, // Update: a POST in our name
}

// beforeFirstApply is the manager that the API server makes up, with all fields of an object that has no managed fields
// at all, in the moment of the first apply (apimachinery pkg/util/managedfields/internal/skipnonapplied.go).
const beforeFirstApply = "before-first-apply"

// isCreator leaves people's edits out: kubectl-edit, kubectl-set, kubectl-patch, kubectl-label, kubectl-annotate, and
// kubectl with the subresource scale. Where they set what git says too, the first apply takes it over by force; what
// they added stays theirs and is reported, as any edit of an object of ours is.
func isCreator(e metav1.ManagedFieldsEntry) bool {
	if e.Subresource != "" {
		return false
	}
	switch {
	case creators[e.Manager], e.Manager == beforeFirstApply:
		return true
	case e.Manager == "kubectl" && e.Operation == metav1.ManagedFieldsOperationApply: // kubectl apply --server-side
		return true
	case e.Manager == "kubectl-edit": // kubectl edit --save-config writes the annotation too
		return false
	}
	// Whoever wrote the annotation of client-side apply applies whole manifests, under whatever name. kubectl finds
	// those whose ownership it takes over in the same way (kubectl pkg/cmd/apply/apply.go).
	return parse(e.FieldsV1).has("f:metadata", "f:annotations", "f:kubectl.kubernetes.io/last-applied-configuration")
}

// Migrate is entries with those of the tools that made the object united into our Apply entry, so that the apply that
// follows removes what git does not have, and the annotation of client-side apply with it. It is meant for the first
// contact with an object that something else made: once our applies own our label, a later kubectl apply is somebody's
// edit, which is reported and not undone unasked, so nothing changes but for before-first-apply, which only appears
// with our first apply.
//
// Entries of subresources stay as they are, and so do entries of another apiVersion than that of our entry, or of the
// first creator if we have none: their paths may mean something else. They go on as kept by their manager. Fields that
// the server has defaulted may leave with the apply and come back by default. entries is not changed.
func Migrate(entries []metav1.ManagedFieldsEntry) (out []metav1.ManagedFieldsEntry, changed bool) {
	target := slices.IndexFunc(entries, isOurs)
	first := target < 0 || !ownsLabel(entries[target])
	takes := func(e metav1.ManagedFieldsEntry) bool {
		return !isOurs(e) && isCreator(e) && (first || e.Manager == beforeFirstApply)
	}
	if target < 0 {
		target = slices.IndexFunc(entries, takes)
	}
	if target < 0 {
		return entries, false
	}
	ours := entries[target]
	ours.Manager, ours.Operation, ours.FieldsType = manager, metav1.ManagedFieldsOperationApply, "FieldsV1"
	fields := parse(ours.FieldsV1)
	changed = !isOurs(entries[target])
	for i, e := range entries {
		switch {
		case i == target:
			out = append(out, ours)
		case takes(e) && e.APIVersion == ours.APIVersion:
			fields.union(parse(e.FieldsV1))
			changed = true
		default:
			out = append(out, e)
		}
	}
	if !changed {
		return entries, false
	}
	for i := range out {
		if isOurs(out[i]) {
			out[i].FieldsV1 = metav1.NewFieldsV1(string(fields.encode()))
		}
	}
	return out, true
}
