package appset_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	. "slipway/internal/appset"
	"slipway/internal/fault"
)

// set is an ApplicationSet with these elements and this template, both in YAML flow or at the indentation given here.
func set(t testing.TB, elements, template string) app.ApplicationSet {
	t.Helper()
	s, err := decode("apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: shop, namespace: team-a}\n" +
		"spec:\n  generators:\n  - list:\n      elements: " + elements + "\n  template:" + template)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func decode(text string) (app.ApplicationSet, error) {
	d, err := app.Decode("sets.yaml", []byte(text))
	if err != nil || len(d.Sets) != 1 {
		return app.ApplicationSet{}, fmt.Errorf("%d sets, %w", len(d.Sets), err)
	}
	return d.Sets[0], nil
}

const plain = `
    metadata: {name: "shop-{{env}}"}
    spec:
      project: default
      source: {repoURL: "https://github.com/myorg/shop", path: "env/{{ env }}"}
      destination: {name: "{{env}}", namespace: shop}
`

func TestTheTutorialsSetMakesAnApplicationPerCluster(t *testing.T) {
	b, err := os.ReadFile("testdata/applicationset.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := decode(string(b))
	if err != nil {
		t.Fatal(err)
	}
	got, warnings, err := Expand(s)
	if err != nil {
		t.Fatal(err)
	}
	one := func(cluster string) app.Application {
		return app.Application{
			Namespace: "argocd", Name: "order-service-" + cluster, Project: "default",
			Source: app.Source{
				RepoURL: "https://github.com/myorg/k8s-config", Path: "apps/order-service",
				Helm: &app.Helm{ValueFiles: []string{"values.yaml", "values-" + cluster + ".yaml"}},
			},
			Destination: app.Destination{Server: "https://" + cluster + ".k8s.example.com", Namespace: "production"},
		}
	}
	if d := cmp.Diff([]app.Application{one("staging"), one("production")}, got); d != "" {
		t.Error(d)
	}
	want := []string{
		`sets.yaml:19: spec.template.spec.project: is missing: taken as "default" (spec.generators[0].list.elements[0])`,
		`sets.yaml:19: spec.template.spec.project: is missing: taken as "default" (spec.generators[0].list.elements[1])`,
	}
	if d := cmp.Diff(want, warnings); d != "" {
		t.Error(d)
	}
}

func TestTheKeysOfATemplate(t *testing.T) {
	type pair struct{ text, want string }
	elements := `[{env: prod, values: {team: red, "odd key": x}, empty: "", braces: "{{env}}"}]`
	for name, p := range map[string]pair{
		"are filled in":                          {"{{env}}", "prod"},
		"are trimmed":                            {"{{  env }}", "prod"},
		"stand beside each other":                {"{{env}}{{env}}-{{env}}", "prodprod-prod"},
		"may be nested under values":             {"{{values.team}}", "red"},
		"may hold a space":                       {"{{values.odd key}}", "x"},
		"may stand for nothing":                  {"a{{empty}}b", "ab"},
		"are not filled in a second time":        {"{{braces}}", "{{env}}"},
		"stay as they are when unknown":          {"{{nobody}}", "{{nobody}}"},
		"keep their spaces when unknown":         {"{{ nobody }}", "{{ nobody }}"},
		"stay as they are when empty":            {"{{}} {{ }}", "{{}} {{ }}"},
		"are no Go template":                     {"{{.env}}", "{{.env}}"},
		"are not the mapping under values":       {"{{values}}", "{{values}}"},
		"are whole only between double braces":   {"{env} {{env} }", "{env} {{env} }"},
		"need no end where there is none at all": {"{{env", "{{env"},
	} {
		t.Run(name, func(t *testing.T) {
			s := set(t, elements, plain)
			meta, ok := s.Template["metadata"].(map[string]any)
			if !ok {
				t.Fatal("no metadata")
			}
			meta["annotations"] = map[string]any{"note": p.text}
			apps, warnings, err := Expand(s)
			if err != nil {
				t.Fatal(err)
			}
			if got := apps[0].Annotations["note"]; got != p.want {
				t.Errorf("got %q, want %q", got, p.want)
			}
			stays := strings.Contains(p.want, "{{") && strings.Contains(p.want, "}}") && p.text == p.want
			if stays != (len(warnings) > 0) {
				t.Errorf("warnings: %q", warnings)
			}
		})
	}
}

func TestAKeyThatNobodyKnowsIsWarnedOf(t *testing.T) {
	s := set(t, `[{env: prod, zone: a}]`, strings.Replace(plain, "name: \"shop-{{env}}\"", `name: shop, labels: {of: "{{envv}}"}`, 1))
	_, warnings, err := Expand(s)
	want := []string{"sets.yaml:9: spec.template.metadata.labels.of: {{envv}} stays as it is: there are env, zone (spec.generators[0].list.elements[0])"}
	if err != nil || cmp.Diff(want, warnings) != "" {
		t.Errorf("%v\n%s", err, cmp.Diff(want, warnings))
	}
}

func TestKeysAreFilledInToKeysOfMappingsToo(t *testing.T) {
	s := set(t, `[{env: prod, k: team}]`, strings.Replace(plain, "name: \"shop-{{env}}\"", `name: shop, labels: {"{{k}}": "{{env}}"}`, 1))
	apps, _, err := Expand(s)
	if err != nil || cmp.Diff(map[string]string{"team": "prod"}, apps[0].Labels) != "" {
		t.Errorf("%v %v", err, apps)
	}
}

func TestOnlyStringsAreFilledIn(t *testing.T) {
	s := set(t, `[{env: prod, n3: "3"}]`, `
    metadata: {name: shop}
    spec:
      project: default
      source: {repoURL: "https://github.com/myorg/shop", path: ., helm: {valuesObject: {replicas: 3, debug: true, env: ["{{env}}", null], nn: "{{n3}}"}}}
      destination: {name: prod}
      syncPolicy: {automated: {prune: true}}
`)
	apps, _, err := Expand(s)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(apps[0].Source.Helm.ValuesObject), `{"debug":true,"env":["prod",null],"nn":"3","replicas":3}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !apps[0].Sync.Prune {
		t.Error("a boolean got lost")
	}
}

func TestTheApplicationsNamespaceIsTheSets(t *testing.T) {
	s := set(t, `[{env: prod}]`, strings.Replace(plain, "metadata: {", "metadata: {namespace: elsewhere, ", 1))
	apps, warnings, err := Expand(s)
	if err != nil || apps[0].Namespace != "team-a" || len(warnings) != 1 || !strings.Contains(warnings[0], "spec.template.metadata.namespace: is ignored") {
		t.Errorf("%v %v %v", apps, warnings, err)
	}
}

func TestExpandLeavesTheSetAsItWas(t *testing.T) {
	s := set(t, `[{env: a}, {env: b}]`, plain)
	before := fmt.Sprint(s)
	for range 2 {
		apps, _, err := Expand(s)
		if err != nil || len(apps) != 2 || apps[0].Name != "shop-a" || apps[1].Name != "shop-b" {
			t.Fatalf("%v %v", apps, err)
		}
	}
	if fmt.Sprint(s) != before {
		t.Error("the set has changed")
	}
}

// argo-cd #18780 and kin: applications were deleted because a half of their set could not be made.
func TestAnErrorInOneElementGivesNoApplicationAtAll(t *testing.T) {
	with := func(old, text string) string { return strings.Replace(plain, old, text, 1) }
	for _, tc := range []struct{ name, elements, template, want string }{
		{"a name that is none", `[{env: good}, {env: "not a name"}]`, plain,
			`sets.yaml:9: spec.template.metadata.name: "shop-not a name" is no name: want lower-case letters, digits, - and ., at most 253 (spec.generators[0].list.elements[1])`},
		{"a key that stays in the name", `[{environment: good}]`, plain, `"shop-{{env}}" is no name`},
		{"the same name twice", `[{env: a}, {env: b}, {env: a}]`, plain,
			`sets.yaml:9: spec.template.metadata.name: "shop-a" is also what spec.generators[0].list.elements[0] makes (spec.generators[0].list.elements[2])`},
		{"a key without an end", `[{env: a}]`, with(`"env/{{ env }}"`, `"env/{{env}}/{{env"`),
			`sets.yaml:12: spec.template.spec.source.path: a {{ has no }} (spec.generators[0].list.elements[0])`},
		{"two keys that become one", `[{env: a, k1: k, k2: k}]`, with("metadata: {", `metadata: {labels: {"{{k1}}": a, "{{k2}}": b}, `),
			`spec.template.metadata.labels: "k" is there twice once the keys are filled in`},
		{"a path that escapes", `[{env: "../../secrets"}]`, with("shop-{{env}}", "shop"), `spec.template.spec.source.path: "env/../../secrets" does not stay inside`},
		{"a project of its own", `[{env: a}]`, with("project: default", `project: "{{env}}"`), `spec.template.spec.project: "a": projects other than default`},
		{"an unknown field", `[{env: a}]`, with("project: default", "projects: default"), `spec.template.spec.projects: unknown field`},
		{"a string where a boolean belongs", `[{env: a}]`, with("project: default", `syncPolicy: {automated: {prune: "{{env}}"}}`), `prune: want true or false, got a string`},
		{"no metadata", `[{env: a}]`, ` {spec: {}}`, `spec.template.metadata: is missing`},
		{"no spec", `[{env: a}]`, ` {metadata: {name: a}}`, `spec.template.spec: is missing`},
		{"status in the template", `[{env: a}]`, plain + "    status: {}\n", `spec.template.status: unknown field`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			apps, _, err := Expand(set(t, tc.elements, tc.template))
			if err == nil || len(apps) > 0 {
				t.Fatalf("made %v", apps)
			}
			if !strings.Contains(err.Error(), tc.want) || !fault.Is(err, fault.Invalid) {
				t.Errorf("%s error\n  %v\nwant\n  %s", fault.Of(err), err, tc.want)
			}
		})
	}
}

func TestManyProblemsAreBounded(t *testing.T) {
	elements := "[" + strings.Repeat(`{env: "no name"},`, 100) + "]"
	_, _, err := Expand(set(t, elements, plain))
	if err == nil {
		t.Fatal("accepted")
	}
	if l := strings.Split(err.Error(), "\n"); len(l) != 21 || l[20] != "and more" {
		t.Errorf("%d lines, the last %q", len(l), l[len(l)-1])
	}
}

func TestASmallSetCannotBecomeALargeOne(t *testing.T) {
	for name, s := range map[string]app.ApplicationSet{
		"one application": set(t, fmt.Sprintf(`[{env: a, big: %q}]`, strings.Repeat("x", 100_000)),
			strings.Replace(plain, "metadata: {", `metadata: {annotations: {a: "`+strings.Repeat("{{big}}", 50_000)+`"}, `, 1)),
		"the whole set": set(t, many(100),
			strings.Replace(plain, "metadata: {", `metadata: {annotations: {a: "`+strings.Repeat("x", 900_000)+`"}, `, 1)),
		"without a key": set(t, `[{env: a}]`,
			strings.Replace(plain, "metadata: {", `metadata: {annotations: {a: "`+strings.Repeat("x", 2_000_000)+`"}, `, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Expand(s)
			if err == nil || !strings.Contains(err.Error(), "larger than") {
				t.Errorf("%.300v", err)
			}
			if err != nil && len(err.Error()) > 10_000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

// many is so many elements, env0 and on.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{env: env%d},", i)
	}
	return "[" + b.String() + "]"
}

func TestWarningsAreBounded(t *testing.T) {
	s := set(t, "[{env: a},{env: b},{env: c}]", strings.Replace(plain, "metadata: {", `metadata: {annotations: {a: "`+strings.Repeat("{{x}}", 1000)+`"}, `, 1))
	_, warnings, err := Expand(s)
	if err != nil || len(warnings) != 21 {
		t.Errorf("%d warnings, %v", len(warnings), err)
	}
}
