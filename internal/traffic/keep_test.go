package traffic

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func routeOf(t *testing.T, rules string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	text := "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web, namespace: shop}\nspec: {rules: " + rules + "}\n"
	body, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := u.UnmarshalJSON(body); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestARouteThatGitSaysKeepsTheLiveWeightsOfTheTwoServicesOnly(t *testing.T) {
	const at30 = `{backendRefs: [{name: stable, weight: 70}, {name: canary, weight: 30}]}`
	const atGit = `{backendRefs: [{name: stable, weight: 100}, {name: canary, weight: 0}]}`
	for name, test := range map[string]struct {
		said, live string
		want       []Weight
	}{
		"as it is":                             {"[" + atGit + "]", "[" + at30 + "]", []Weight{{0, 1, 30}, {0, 0, 70}}},
		"in another order":                     {"[{backendRefs: [{name: canary}, {name: stable}]}]", "[" + at30 + "]", []Weight{{0, 0, 30}, {0, 1, 70}}},
		"in a rule that git adds before":       {"[{matches: [{path: {value: /new}}], backendRefs: [{name: stable, weight: 1}, {name: canary, weight: 1}]}, " + atGit + "]", "[" + at30 + "]", []Weight{{0, 1, 30}, {0, 0, 70}, {1, 1, 30}, {1, 0, 70}}},
		"of the rule in its place":             {"[" + atGit + "," + atGit + "]", "[" + at30 + ", {backendRefs: [{name: stable, weight: 90}, {name: canary, weight: 10}]}]", []Weight{{0, 1, 30}, {0, 0, 70}, {1, 1, 10}, {1, 0, 90}}},
		"of another Service beside":            {"[{backendRefs: [{name: other, weight: 5}, {name: stable}, {name: canary}]}]", "[" + at30 + "]", []Weight{{0, 2, 30}, {0, 1, 70}}},
		"of a rule that names one only":        {"[{backendRefs: [{name: canary, weight: 1}]}, " + atGit + "]", "[{backendRefs: [{name: canary, weight: 9}]}, " + at30 + "]", []Weight{{1, 1, 30}, {1, 0, 70}}},
		"without weights in what is live":      {"[" + atGit + "]", "[{backendRefs: [{name: stable}, {name: canary}]}]", []Weight{{0, 1, 1}, {0, 0, 1}}},
		"of a live route that divides nothing": {"[" + atGit + "]", "[{backendRefs: [{name: stable}]}]", nil},
		"of one that has no rules":             {"[" + atGit + "]", "null", nil},
		"of one of another shape":              {"[" + atGit + "]", "{a: 1}", nil},
		"where git divides nothing any more":   {"[{backendRefs: [{name: stable}]}]", "[" + at30 + "]", nil},
		"of a namesake in another namespace":   {"[" + atGit + "]", "[{backendRefs: [{name: stable, weight: 70}, {name: canary, namespace: other, weight: 30}]}]", nil},
	} {
		t.Run(name, func(t *testing.T) {
			said, live := routeOf(t, test.said), routeOf(t, test.live)
			before := live.DeepCopy()
			got := Gateway{Stable: "stable", Canary: "canary", Namespace: "shop"}.Kept(said, live)
			if d := cmp.Diff(test.want, got); d != "" || !cmp.Equal(before, live) {
				t.Error(d)
			}
		})
	}
}
