package deploy

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// The prune guards (security P9): a broken chart or a bad selector must not empty a cluster.
const (
	pruneFloor   = 10 // so many may always go
	prunePercent = 30 // of the live objects
)

// syncOptions is Argo CD's annotation on objects; Prune=false on the live one keeps it (argo-cd sync_context.go).
const syncOptions = "argocd.argoproj.io/sync-options"

// keep says why an object that is no longer in git is not pruned; empty if it is.
func keep(a app.Application, id manifest.ID, m *metav1.PartialObjectMetadata) string {
	if !a.Sync.Prune {
		return "prune is off (syncPolicy.automated.prune)"
	}
	for _, o := range strings.Split(m.Annotations[syncOptions], ",") {
		if strings.TrimSpace(o) == "Prune=false" {
			return "annotated " + syncOptions + ": Prune=false"
		}
	}
	if holdsOthers(id) && m.Annotations[manifest.AllowPruneNote] != "true" {
		return id.Kind + "s are pruned only with the annotation " + manifest.AllowPruneNote + `: "true" on them`
	}
	return ""
}

// holdsOthers are the kinds whose deletion takes with it what nobody can bring back: other people's objects, or data
// (protocol, "left": a push that wants an object back can land between the last read and its delete).
func holdsOthers(id manifest.ID) bool {
	switch id.Group + "/" + id.Kind {
	case "/Namespace", "/PersistentVolumeClaim", "/PersistentVolume", "apiextensions.k8s.io/CustomResourceDefinition":
		return true
	}
	return false
}

// tooMany refuses a prune of more than max(10, 30 %) of what there is, unless the Application agrees to it.
func tooMany(a app.Application, what string, going, all int) error {
	if going <= max(pruneFloor, all*prunePercent/100) || a.Annotations[manifest.AllowPruneNote] == "true" {
		return nil
	}
	return fault.New(fault.Invalid, "prune %s: %d of %d %s would be deleted, more than %d %%; annotate the Application with %s: \"true\" to agree",
		a.Key(), going, all, what, prunePercent, manifest.AllowPruneNote)
}
