package app_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "slipway/internal/app"
	"slipway/internal/fault"
)

func minimalSet() object {
	return object{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
		"metadata": object{"name": "shop"},
		"spec": object{
			"generators": list{object{"list": object{"elements": list{object{"env": "prod"}}}}},
			"template":   object{"metadata": object{"name": "shop-{{env}}"}, "spec": object{}},
		},
	}
}

func TestWhatASetMayNotSay(t *testing.T) {
	elements := func(e ...any) list { return list{object{"list": object{"elements": list(e)}}} }
	const first = "spec.generators[0].list.elements[0]"
	for _, c := range []change{
		{"apiVersion", "argoproj.io/v2", "apiVersion: want argoproj.io/v1alpha1"},
		{"kind", "Application", "kind: want ApplicationSet"},
		{"metadata.name", gone, "metadata.name: is missing"},
		{"metadata.finalizers", list{"x"}, "metadata.finalizers[0]: not supported yet"},
		{"spec", gone, "spec: is missing"},
		{"spec.template", gone, "spec.template: is missing"},
		{"spec.template", "{{x}}", "spec.template: want a mapping, got a string"},
		{"spec.generators", gone, "spec.generators: is missing"},
		{"spec.generators", object{}, "spec.generators: want a list, got a mapping"},
		{"spec.generators", list{object{}}, "spec.generators[0]: has no list"},
		{"spec.generators", list{object{"git": object{}}}, "spec.generators[0].git: not supported yet"},
		{"spec.generators", list{object{"clusters": object{}}}, "spec.generators[0].clusters: not supported yet"},
		{"spec.generators", list{object{"matrix": object{"generators": list{}}}}, "spec.generators[0].matrix: not supported yet"},
		{"spec.generators", list{object{"lists": object{}}}, "spec.generators[0].lists: unknown field"},
		{"spec.generators", list{object{"list": object{"elements": list{}}, "selector": object{"matchLabels": object{}}}}, "spec.generators[0].selector: not supported yet"},
		{"spec.generators", list{object{"list": object{"elementsYaml": "x"}}}, "spec.generators[0].list.elementsYaml: not supported yet"},
		{"spec.generators", list{object{"list": object{"template": object{}}}}, "spec.generators[0].list.template: not supported yet"},
		{"spec.generators", elements("prod"), first + ": want a mapping, got a string"},
		{"spec.generators", elements(object{"env": int64(1)}), first + ".env: want a string, got a number; put it in quotes"},
		{"spec.generators", elements(object{"env": nil}), first + ".env: is null, want a string"},
		{"spec.generators", elements(object{"env": object{}}), first + ".env: want a string, got a mapping"},
		{"spec.generators", elements(object{"values": "x"}), first + ".values: want a mapping, got a string"},
		{"spec.generators", elements(object{"values": object{"a": true}}), first + ".values.a: want a string, got true or false"},
		{"spec.generators", elements(object{"values": object{"a": "1"}, "values.a": "2"}), `"values.a" is there twice`},
		{"spec.goTemplate", true, "spec.goTemplate: not supported yet"},
		{"spec.goTemplate", false, ""},
		{"spec.goTemplateOptions", list{"missingkey=error"}, "spec.goTemplateOptions: not supported yet"},
		{"spec.strategy", object{"type": "RollingSync"}, "spec.strategy: not supported yet"},
		{"spec.preservedFields", object{"annotations": list{"a"}}, "spec.preservedFields: not supported yet"},
		{"spec.ignoreApplicationDifferences", list{object{}}, "spec.ignoreApplicationDifferences: not supported yet"},
		{"spec.templatePatch", "x", "spec.templatePatch: not supported yet"},
		{"spec.applyNestedSelectors", true, "spec.applyNestedSelectors: not supported yet"},
		{"spec.syncPolicy", object{"applicationsSync": "sync", "preserveResourcesOnDeletion": false}, ""},
		{"spec.syncPolicy", object{"applicationsSync": "create-only"}, `spec.syncPolicy.applicationsSync: "create-only": only sync is supported yet`},
		{"spec.syncPolicy", object{"preserveResourcesOnDeletion": true}, "spec.syncPolicy.preserveResourcesOnDeletion: not supported yet"},
		{"spec.syncPolicy", object{"automated": object{}}, "spec.syncPolicy.automated: unknown field"},
		{"spec.elements", list{}, "spec.elements: unknown field"},
		{"operation", object{}, "operation: unknown field"},
	} {
		_, _, err := DecodeSet("f.yaml", nil, with(minimalSet(), c.path, c.value))
		if (err == nil) != (c.refused == "") || err != nil && (!strings.Contains(err.Error(), c.refused) || !fault.Is(err, fault.Invalid)) {
			t.Errorf("%s = %v\n got %v\nwant %s", c.path, c.value, err, c.refused)
		}
	}
}

func TestTheElementsOfAllGeneratorsComeInTheirOrder(t *testing.T) {
	set, warnings, err := DecodeSet("f.yaml", nil, with(minimalSet(), "spec.generators", list{
		object{"list": object{"elements": list{object{"env": "b", "values": object{"k": "v"}}, object{}}}},
		object{"list": object{"elements": list{object{"env": "a"}}}},
	}))
	want := []Element{
		{Path: "spec.generators[0].list.elements[0]", Values: map[string]string{"env": "b", "values.k": "v"}},
		{Path: "spec.generators[0].list.elements[1]", Values: map[string]string{}},
		{Path: "spec.generators[1].list.elements[0]", Values: map[string]string{"env": "a"}},
	}
	if err != nil || len(warnings) > 0 || cmp.Diff(want, set.Elements) != "" {
		t.Errorf("%v %v\n%s", err, warnings, cmp.Diff(want, set.Elements))
	}
	if got := want[0].Keys(); cmp.Diff([]string{"env", "values.k"}, got) != "" {
		t.Errorf("keys %q", got)
	}
}

func TestASetWithoutElementsIsWarnedOf(t *testing.T) {
	_, warnings, err := DecodeSet("f.yaml", nil, with(minimalSet(), "spec.generators", list{}))
	if want := "f.yaml: ApplicationSet argocd/shop: spec.generators: have no elements: no applications"; err != nil || len(warnings) != 1 || warnings[0] != want {
		t.Errorf("%v %q", err, warnings)
	}
}

func TestASetIsBounded(t *testing.T) {
	var many list
	for range 2001 {
		many = append(many, object{"env": "x"})
	}
	_, _, err := DecodeSet("f.yaml", nil, with(minimalSet(), "spec.generators", list{object{"list": object{"elements": many}}}))
	if err == nil || !strings.Contains(err.Error(), "spec.generators: have more than 2000 elements") {
		t.Errorf("got %v", err)
	}
}
