package manifest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	segment "k8s.io/apimachinery/pkg/api/validate/content"

	"slipway/internal/fault"
)

// Annotations of Argo CD and Helm that say when an object is applied.
const (
	argoHook   = "argocd.argoproj.io/hook"
	argoWave   = "argocd.argoproj.io/sync-wave"
	helmHook   = "helm.sh/hook"
	helmWeight = "helm.sh/hook-weight"
)

// unsupported are kinds that something else than a sync must act on, so applying them alone would look like success.
var unsupported = map[string]string{
	"AnalysisRun": "an AnalysisRun is made by a Rollout, and not kept in git: name its template in a step of the Rollout",
	"Experiment":  "nothing runs an Experiment: compare the revisions by an analysis in a step of a Rollout",
	"AppProject":  "AppProject comes with projects and is not supported yet",
}

// Refuse is nil for an object that may be applied. Its errors are of kind fault.Invalid and name file, object and
// reason, never a value of a Secret: no name, a name that would be another path of the API, labels or annotations that
// are not text, hooks, waves, kinds that are not supported yet.
func Refuse(o Object) error {
	for _, check := range []func(Object) string{identity, supported, texts, secretTexts, timing} {
		if reason := check(o); reason != "" {
			return fault.New(fault.Invalid, "%s: %s: %s", o.File, shownID(o), reason)
		}
	}
	return nil
}

// shownID is what identifies the object, for an error that may be about just that.
func shownID(o Object) string { return CleanText(strings.ReplaceAll(o.ID().String(), "\n", " "), 400) }

func identity(o Object) string {
	for _, k := range []string{"apiVersion", "kind"} {
		if s, ok := o.Object[k].(string); !ok || s == "" {
			return k + " is missing"
		}
	}
	meta, ok := o.Object["metadata"].(map[string]any)
	if !ok {
		return "metadata is missing"
	}
	if s, ok := meta["generateName"].(string); ok && s != "" {
		return "metadata.generateName makes another object with each sync: give it a metadata.name"
	}
	if s, ok := meta["name"].(string); !ok || s == "" {
		return "metadata.name is missing or not text"
	}
	if _, ok := meta["namespace"].(string); !ok && meta["namespace"] != nil {
		return "metadata.namespace is not text: quote it"
	}
	for _, f := range [][2]string{{"apiVersion", o.GetAPIVersion()}, {"kind", o.GetKind()}, {"metadata.name", o.GetName()}, {"metadata.namespace", o.GetNamespace()}} {
		if strings.ContainsFunc(f[1], unprintable) { // they are printed wherever the object is named (security X7)
			return f[0] + " holds control characters"
		}
	}
	for _, name := range []string{o.GetName(), o.GetNamespace()} {
		if faults := segment.IsPathSegmentName(name); len(faults) > 0 {
			return "metadata: name or namespace " + strconv.Quote(name) + " " + strings.Join(faults, ", ")
		}
	}
	return ""
}

func supported(o Object) string {
	id := o.ID()
	if reason := unsupported[id.Kind]; reason != "" && id.Group == "argoproj.io" {
		return reason
	}
	if _, items := o.Object["items"]; items && strings.HasSuffix(id.Kind, "List") {
		return "a list cannot be applied as one object"
	}
	return ""
}

// texts finds labels and annotations that YAML reads as numbers or booleans. The API server would refuse them too, but
// with a message of Go types; and any accessor would treat the whole map as absent.
func texts(o Object) string {
	meta, _ := o.Object["metadata"].(map[string]any)
	for _, field := range []string{"labels", "annotations"} {
		if reason := allText(meta[field], "metadata."+field); reason != "" {
			return reason
		}
	}
	return ""
}

func secretTexts(o Object) string {
	if id := o.ID(); id.Group != "" || id.Kind != "Secret" {
		return ""
	}
	if reason := allText(o.Object["data"], "data"); reason != "" {
		return reason
	}
	return allText(o.Object["stringData"], "stringData")
}

func allText(v any, at string) string {
	if v == nil {
		return ""
	}
	m, ok := v.(map[string]any)
	if !ok {
		return at + " is not a map"
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if _, ok := m[k].(string); !ok && m[k] != nil {
			return at + "[" + strconv.Quote(k) + "] is not text: quote it"
		}
	}
	return ""
}

// timing finds hooks and waves. Argo's annotation wins over Helm's, and Helm's weight is the wave where Argo's is
// missing (gitops-engine pkg/sync/hook, syncwaves). A wave that is no number is refused too: Argo passes over it in
// silence.
func timing(o Object) string {
	notes := o.GetAnnotations()
	if h, ok := notes[argoHook]; ok {
		return "annotation " + argoHook + ": " + CleanText(h, 80) + " is a hook, and hooks are not supported yet"
	}
	if h, ok := notes[helmHook]; ok {
		for _, t := range split(h) {
			if t != "crd-install" && !neverRun(t) {
				return "annotation " + helmHook + ": " + CleanText(h, 80) + " is a hook, and hooks are not supported yet"
			}
		}
	}
	for _, k := range []string{argoWave, helmWeight} {
		w, ok := notes[k]
		if !ok {
			continue
		}
		if n, err := strconv.Atoi(w); err != nil || n != 0 {
			return "annotation " + k + ": " + CleanText(w, 80) + " is a wave, and waves other than 0 are not supported yet"
		}
		break
	}
	return ""
}

func split(hooks string) []string {
	types := strings.Split(hooks, ",")
	for i, t := range types {
		types[i] = strings.TrimSpace(t)
	}
	return types
}

// neverRun tells the hooks of Helm that Argo CD neither applies nor compares (controller/hook.go): tests and rollbacks.
func neverRun(hook string) bool {
	return strings.HasPrefix(hook, "test") || strings.HasSuffix(hook, "-rollback")
}

// LeftOut reports whether o is a Helm hook that is never applied, such as a test, because Argo CD ignores those too.
func LeftOut(o Object) bool {
	notes := o.GetAnnotations()
	h, ok := notes[helmHook]
	if _, argo := notes[argoHook]; argo || !ok {
		return false
	}
	return !slices.ContainsFunc(split(h), func(t string) bool { return !neverRun(t) })
}
