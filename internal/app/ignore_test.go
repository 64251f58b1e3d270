package app_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "slipway/internal/app"
)

func TestIgnoreDifferences(t *testing.T) {
	obj := with(minimal(), "spec.ignoreDifferences", list{
		object{"group": "apps", "kind": "Deployment", "name": "web", "namespace": "shop", "jsonPointers": list{"/spec/replicas", "/metadata/annotations/a.b~1c~0d"}},
		object{"group": "*", "kind": "*", "managedFieldsManagers": list{"kube-controller-manager"}},
		object{"kind": "ConfigMap", "jqPathExpressions": list{`.data["k"]`}, "jsonPointers": list{}, "managedFieldsManagers": nil},
	})
	a, warnings, err := DecodeObject("f.yaml", nil, with(obj, "spec.syncPolicy.syncOptions", list{"RespectIgnoreDifferences=true"}))
	want := []IgnoreDifference{
		{Group: "apps", Kind: "Deployment", Name: "web", Namespace: "shop", JSONPointers: []string{"/spec/replicas", "/metadata/annotations/a.b~1c~0d"}},
		{Group: "*", Kind: "*", ManagedFieldsManagers: []string{"kube-controller-manager"}},
		{Kind: "ConfigMap", JQPathExpressions: []string{`.data["k"]`}},
	}
	if err != nil || len(warnings) > 0 || cmp.Diff(want, a.IgnoreDifferences) != "" || !a.Sync.RespectIgnoreDifferences {
		t.Errorf("%v %v %v\n%s", err, warnings, a.Sync, cmp.Diff(want, a.IgnoreDifferences))
	}
}

func TestWhatIgnoreDifferencesMayNotSay(t *testing.T) {
	entry := func(e any, refused string) change {
		return change{"spec.ignoreDifferences", list{e}, refused}
	}
	about := func(field string, v any, refused string) change {
		return entry(object{"kind": "Deployment", field: v}, refused)
	}
	const at = "spec.ignoreDifferences[0]"
	check(t, []change{
		{"spec.ignoreDifferences", "Deployment", "spec.ignoreDifferences: want a list, got a string"},
		entry("Deployment", at+": want a mapping, got a string"),
		entry(nil, at+": is empty"),
		entry(object{"kind": "Deployment"}, at+": names nothing to ignore"),
		entry(object{"kind": "Deployment", "jsonPointers": list{}}, at+": names nothing to ignore"),
		entry(object{"jsonPointers": list{"/a"}}, at+".kind: is missing"),
		entry(object{"kind": "", "jsonPointers": list{"/a"}}, at+".kind: is empty"),
		entry(object{"kind": "{Deployment,StatefulSet}", "jsonPointers": list{"/a"}}, at+`.kind: "{Deployment,StatefulSet}": only the wildcards * and ? are supported`),
		entry(object{"kind": "Deploy*", "group": "app?", "jsonPointers": list{"/a"}}, ""),
		about("group", int64(1), at+".group: want a string"),
		about("namespace", "team-*", at+`.namespace: "team-*" has a wildcard`),
		about("name", "*", at+`.name: "*" has a wildcard`),
		about("jsonPointer", list{"/a"}, at+".jsonPointer: unknown field"),
		about("jsonPointers", "/a", at+".jsonPointers: want a list"),
		about("jsonPointers", list{"spec/replicas"}, at+`.jsonPointers[0]: "spec/replicas" is no JSON pointer: it starts with /`),
		about("jsonPointers", list{""}, at+".jsonPointers[0]: is empty"),
		about("jsonPointers", list{nil}, at+".jsonPointers[0]: is empty"),
		about("jsonPointers", list{"/a~b"}, at+`.jsonPointers[0]: "/a~b" is no JSON pointer: after ~ comes 0 or 1`),
		about("jsonPointers", list{"/a~"}, "after ~ comes 0 or 1"),
		about("jsonPointers", list{"/a~01", "/"}, ""),
		about("jqPathExpressions", list{".a["}, at+`.jqPathExpressions[0]: ".a[" is no jq expression`),
		about("jqPathExpressions", list{".a", ". + 1"}, at+".jqPathExpressions[1]:"),
		about("managedFieldsManagers", list{""}, at+".managedFieldsManagers[0]: is empty"),
		about("managedFieldsManagers", list{"slipway"}, at+".managedFieldsManagers[0]: slipway is the manager of our own applies"),
	})
	many := make(list, 501)
	for i := range many {
		many[i] = fmt.Sprintf("/%d", i)
	}
	check(t, []change{about("jsonPointers", many, "spec.ignoreDifferences: names 501 things to ignore, more than 500"), about("jsonPointers", many[:500], "")})
}

func TestATemplateOfASetIgnoresDifferencesToo(t *testing.T) {
	set := func(pointer string) string {
		return `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop}
spec:
  generators: [{list: {elements: [{env: prod}]}}]
  template:
    metadata: {name: shop}
    spec:
      project: default
      source: {repoURL: "https://github.com/myorg/shop", path: .}
      destination: {name: staging}
      ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: ["` + pointer + `"]}]
`
	}
	for pointer, refused := range map[string]string{"/spec/replicas": "", "spec/replicas": "sets.yaml:12: spec.template.spec.ignoreDifferences[0].jsonPointers[0]"} {
		d, err := Decode("sets.yaml", []byte(set(pointer)))
		if err != nil || len(d.Sets) != 1 {
			t.Fatal(err)
		}
		a, _, err := d.Sets[0].Application(d.Sets[0].Template, d.Sets[0].Elements[0])
		switch {
		case refused == "" && (err != nil || len(a.IgnoreDifferences) != 1):
			t.Errorf("%+v, %v", a, err)
		case refused != "" && (err == nil || !strings.Contains(err.Error(), refused)):
			t.Errorf("%v, want %s", err, refused)
		}
	}
}
