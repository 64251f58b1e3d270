package app_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "slipway/internal/app"
	"slipway/internal/fault"
)

type object = map[string]any
type list = []any

// minimal is the smallest Application that says all it must.
func minimal() object {
	return object{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
		"metadata": object{"name": "shop"},
		"spec": object{
			"project":     "default",
			"source":      object{"repoURL": "https://github.com/myorg/shop", "path": "."},
			"destination": object{"name": "staging"},
		},
	}
}

// with is obj with the value at a dotted path; gone takes it out.
func with(obj object, path string, value any) object {
	at := obj
	steps := strings.Split(path, ".")
	for _, s := range steps[:len(steps)-1] {
		next, ok := at[s].(object)
		if !ok {
			next = object{}
			at[s] = next
		}
		at = next
	}
	if last := steps[len(steps)-1]; value == gone {
		delete(at, last)
	} else {
		at[last] = value
	}
	return obj
}

type marker string

const gone = marker("gone")

// change is one difference to the minimal Application: refused with this text after the path, or accepted when "".
type change struct {
	path    string
	value   any
	refused string
}

func check(t *testing.T, changes []change) {
	t.Helper()
	for _, c := range changes {
		a, _, err := DecodeObject("f.yaml", nil, with(minimal(), c.path, c.value))
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s = %v is refused: %v", c.path, c.value, err)
		case c.refused != "" && err == nil:
			t.Errorf("%s = %v is accepted: %+v", c.path, c.value, a)
		case err != nil && !strings.Contains(err.Error(), c.refused):
			t.Errorf("%s = %v\n got %v\nwant %s", c.path, c.value, err, c.refused)
		case err != nil && !fault.Is(err, fault.Invalid):
			t.Errorf("%s = %v is %s", c.path, c.value, fault.Of(err))
		}
	}
}

func TestTheMinimalApplication(t *testing.T) {
	a, warnings, err := DecodeObject("f.yaml", nil, minimal())
	want := Application{
		Namespace: "argocd", Name: "shop", Project: "default", Source: Source{RepoURL: "https://github.com/myorg/shop", Path: "."},
		Destination: Destination{Name: "staging"},
	}
	if err != nil || len(warnings) > 0 || cmp.Diff(want, a) != "" {
		t.Errorf("%v %v\n%s", err, warnings, cmp.Diff(want, a))
	}
}

func TestMetadata(t *testing.T) {
	check(t, []change{
		{"apiVersion", "argoproj.io/v1beta1", "apiVersion: want argoproj.io/v1alpha1"},
		{"apiVersion", gone, "apiVersion: is missing"},
		{"kind", "ApplicationSet", "kind: want Application"},
		{"metadata", gone, "metadata: is missing"},
		{"metadata", "shop", "metadata: want a mapping, got a string"},
		{"metadata.name", gone, "metadata.name: is missing"},
		{"metadata.name", nil, "metadata.name: is missing"},
		{"metadata.name", "", "is no name"},
		{"metadata.name", "Shop", `metadata.name: "Shop" is no name`},
		{"metadata.name", strings.Repeat("a", 254), "is no name"},
		{"metadata.name", "../shop", "is no name"},
		{"metadata.name", int64(7), "metadata.name: want a string, got a number; put it in quotes"},
		{"metadata.name", "shop.v2", ""},
		{"metadata.generateName", "shop-", "metadata.generateName: not supported: give a name"},
		{"metadata.namespace", "team-a", ""},
		{"metadata.namespace", "team.a", `metadata.namespace: "team.a" is no namespace`},
		{"metadata.labels", object{"team": "a"}, ""},
		{"metadata.labels", object{"team": int64(1)}, "metadata.labels.team: want a string"},
		{"metadata.labels", object{"a.b/c": nil}, `metadata.labels["a.b/c"]: is null, want a string`},
		{"metadata.labels", list{"team"}, "metadata.labels: want a mapping, got a list"},
		{"metadata.annotations", object{"slipway.dev/allow-prune": "true"}, ""},
		{"metadata.annotations", object{"slipway.dev/alow-prune": "true"}, `metadata.annotations["slipway.dev/alow-prune"]: unknown annotation`},
		{"metadata.annotations", object{"slipway.dev/strict": "true"}, ""},
		{"metadata.annotations", object{"slipway.dev/strict": "yes"}, `metadata.annotations["slipway.dev/strict"]: must be "true" or "false"`},
		{"metadata.annotations", object{"slipway.dev/pause-heal-until": "2026-01-31T18:00:00Z"}, ""},
		{"metadata.annotations", object{"slipway.dev/pause-heal-until": "tomorrow"}, `metadata.annotations["slipway.dev/pause-heal-until"]: must be a time`},
		{"metadata.annotations", object{"argocd.argoproj.io/sync-wave": "0"}, ""},
		{"metadata.annotations", object{"argocd.argoproj.io/sync-wave": "1"}, `metadata.annotations["argocd.argoproj.io/sync-wave"]: not supported yet`},
		{"metadata.annotations", object{"argocd.argoproj.io/hook": "PreSync"}, "not supported yet"},
		{"metadata.annotations", object{"helm.sh/hook": "pre-install"}, "not supported yet"},
		{"metadata.finalizers", list{}, ""},
		{"metadata.finalizers", list{"resources-finalizer.argocd.argoproj.io"}, "metadata.finalizers[0]: not supported yet"},
		{"metadata.nmae", "shop", "metadata.nmae: unknown field"},
		{"operation", object{"sync": object{}}, "operation: not supported yet"},
		{"operation", nil, ""},
		{"sped", object{}, "sped: unknown field"},
		{"spec", gone, "spec: is missing"},
		{"spec", list{}, "spec: want a mapping, got a list"},
	})
}

func TestSpec(t *testing.T) {
	check(t, []change{
		{"spec.project", "shop", `spec.project: "shop": projects other than default are not supported yet`},
		{"spec.project", true, "spec.project: want a string, got true or false; put it in quotes"},
		{"spec.source", gone, "spec.source: is missing"},
		{"spec.sources", list{object{"ref": "values"}}, "spec.sources: not supported yet"},
		{"spec.sources", list{}, ""},
		{"spec.sourceHydrator", object{}, "spec.sourceHydrator: not supported yet"},
		{"spec.ignoreDifferences", list{}, ""},
		{"spec.info", list{object{"name": "url"}}, "spec.info: not supported yet"},
		{"spec.revisionHistoryLimit", int64(3), "spec.revisionHistoryLimit: not supported yet"},
		{"spec.destination", gone, "spec.destination: is missing"},
		{"spec.syncpolicy", object{}, "spec.syncpolicy: unknown field"},
	})
}

func TestSourcesAloneAreNotSaidToMissASource(t *testing.T) {
	_, _, err := DecodeObject("f.yaml", nil, with(with(minimal(), "spec.source", gone), "spec.sources", list{object{"path": "a"}}))
	if want := "f.yaml: Application argocd/shop: spec.sources: not supported yet"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// What an API server or kubectl has put in comes along in exports (kubectl get -o yaml). It is named, once.
func TestAnExportedApplicationDecodesWithWarnings(t *testing.T) {
	obj := minimal()
	with(obj, "status", object{"sync": object{"status": "Synced"}})
	with(obj, "spec.project", gone)
	exported := object{
		"uid": "7d8a", "creationTimestamp": "2026-01-02T03:04:05Z", "generation": int64(4), "resourceVersion": "99", "managedFields": list{object{}}, "selfLink": nil,
		"annotations": object{
			"kubectl.kubernetes.io/last-applied-configuration": "{}", "argocd.argoproj.io/refresh": "normal", "example.com/owner": "team-a",
		},
	}
	for k, v := range exported {
		with(obj, "metadata."+k, v)
	}
	a, warnings, err := DecodeObject("f.yaml", nil, obj)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`f.yaml: Application argocd/shop: metadata.annotations["argocd.argoproj.io/refresh"]: has no effect`,
		"f.yaml: Application argocd/shop: metadata: ignored, since the API server writes it: creationTimestamp, generation, managedFields, resourceVersion, uid, annotations of kubectl",
		`f.yaml: Application argocd/shop: spec.project: is missing: taken as "default"`,
		"f.yaml: Application argocd/shop: status: is ignored: a controller wrote it",
	}
	if d := cmp.Diff(want, warnings); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]string{"argocd.argoproj.io/refresh": "normal", "example.com/owner": "team-a"}, a.Annotations); d != "" {
		t.Error(d)
	}
	if a.Project != "default" {
		t.Errorf("project %q", a.Project)
	}
}

func TestProblemsOfAFileAreBounded(t *testing.T) {
	obj := minimal()
	for i := range 100 {
		with(obj, "spec.field"+string(rune('a'+i%26))+strings.Repeat("x", i), "y")
	}
	_, _, err := DecodeObject("f.yaml", nil, obj)
	if err == nil {
		t.Fatal("accepted")
	}
	if l := strings.Split(err.Error(), "\n"); len(l) != 21 || l[20] != "and 80 more" {
		t.Errorf("%d lines, the last %q", len(l), l[len(l)-1])
	}
}
