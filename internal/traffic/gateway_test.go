package traffic

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"slipway/internal/fault"
)

var _ Router = Gateway{}

var gateway = Gateway{Stable: "web-stable", Canary: "web-canary", Namespace: "shop"}

func object(t testing.TB, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return o
}

// route is an HTTPRoute of generation 3 with these rules and these answers of its parents.
func route(t testing.TB, rules, parents string) *unstructured.Unstructured {
	t.Helper()
	return object(t, "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web, namespace: shop, generation: 3}\nspec: {rules: "+rules+"}\nstatus: {parents: "+parents+"}\n")
}

const (
	both  = "[{backendRefs: [{name: web-stable, port: 80}, {name: web-canary, port: 80, weight: 0}]}]"
	taken = "[{conditions: [{type: Accepted, status: 'True', observedGeneration: 3}, {type: ResolvedRefs, status: 'True', observedGeneration: 3}]}]"
)

func TestEveryWeightIsSetAndRead(t *testing.T) {
	for weight := int32(0); weight <= 100; weight++ {
		o := route(t, both, taken)
		out, err := gateway.SetWeight([]*unstructured.Unstructured{o}, weight)
		if err != nil || len(out) != 1 {
			t.Fatalf("%d: %v %v", weight, out, err)
		}
		if got, ok, why, err := gateway.Verify(out); got != weight || !ok || err != nil {
			t.Errorf("%d: reads %d, %v %s %v", weight, got, ok, why, err)
		}
		if again, err := gateway.SetWeight(out, weight); err != nil || len(again) != 0 {
			t.Errorf("%d: set again: %v %v", weight, again, err)
		}
		if w, _, _, err := gateway.Verify([]*unstructured.Unstructured{o}); w != 0 || err != nil {
			t.Errorf("%d: the object that was read has changed: %d %v", weight, w, err)
		}
	}
}

func TestOnlyTheRulesOfTheTwoServicesChange(t *testing.T) {
	rules := `[{matches: [{path: {value: /a}}], backendRefs: [{name: web-canary, port: 80}, {name: web-stable, port: 80}]},
  {backendRefs: [{name: other, port: 80, weight: 7}]},
  {backendRefs: [{name: web-canary, port: 80, weight: 5}]},
  {backendRefs: [{kind: Service, group: "", namespace: shop, name: web-stable, port: 80}, {name: web-canary, port: 80}, {name: gone, weight: 0}]}]`
	out, err := gateway.SetWeight([]*unstructured.Unstructured{route(t, rules, taken)}, 30)
	if err != nil || len(out) != 1 {
		t.Fatal(out, err)
	}
	want := route(t, `[{matches: [{path: {value: /a}}], backendRefs: [{name: web-canary, port: 80, weight: 30}, {name: web-stable, port: 80, weight: 70}]},
  {backendRefs: [{name: other, port: 80, weight: 7}]},
  {backendRefs: [{name: web-canary, port: 80, weight: 5}]},
  {backendRefs: [{kind: Service, group: "", namespace: shop, name: web-stable, port: 80, weight: 70}, {name: web-canary, port: 80, weight: 30}, {name: gone, weight: 0}]}]`, taken)
	if diff := cmp.Diff(want.Object, out[0].Object); diff != "" {
		t.Error(diff)
	}
}

func TestARouteThatNoWeightCanBePutIntoIsRefused(t *testing.T) {
	for _, c := range []struct{ name, rules, want string }{
		{"no rules", "[]", "spec.rules: none has both web-stable and web-canary"},
		{"one Service", "[{backendRefs: [{name: web-stable}]}]", "none has both"},
		{"of another namespace", "[{backendRefs: [{name: web-stable}, {name: web-canary, namespace: other}]}]", "none has both"},
		{"of another kind", "[{backendRefs: [{name: web-stable}, {name: web-canary, kind: Bucket, group: acme}]}]", "none has both"},
		{"a third backend", "[{backendRefs: [{name: web-stable}, {name: web-canary}, {name: other}]}]", "spec.rules[0].backendRefs[2]: has a weight beside"},
		{"rules of another type", "web", "HTTPRoute.gateway.networking.k8s.io shop/web"},
	} {
		_, err := gateway.SetWeight([]*unstructured.Unstructured{route(t, c.rules, taken)}, 10)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, _, _, verr := gateway.Verify([]*unstructured.Unstructured{route(t, c.rules, taken)}); verr == nil {
			t.Errorf("%s: is verified", c.name)
		}
	}
	for _, w := range []int32{-1, 101} {
		if _, err := gateway.SetWeight(nil, w); !fault.Is(err, fault.Invalid) {
			t.Errorf("%d: %v", w, err)
		}
	}
	if _, err := gateway.SetWeight([]*unstructured.Unstructured{object(t, "{apiVersion: v1, kind: Service, metadata: {name: web}}")}, 1); !fault.Is(err, fault.Invalid) {
		t.Errorf("a Service: %v", err)
	}
}

func TestARouteIsTakenWhenItsGenerationIsAccepted(t *testing.T) {
	for _, c := range []struct {
		name, parents string
		taken         bool
		why           string
	}{
		{"accepted", taken, true, ""},
		{"without ResolvedRefs", "[{conditions: [{type: Accepted, status: 'True', observedGeneration: 3}]}]", true, ""},
		{"no answer", "[]", false, "no Gateway has answered"},
		{"an older generation", "[{conditions: [{type: Accepted, status: 'True', observedGeneration: 2}]}]", false, "generation 3 is not Accepted yet"},
		{"no generation", "[{conditions: [{type: Accepted, status: 'True'}]}]", false, "not Accepted yet"},
		{"denied", "[{conditions: [{type: Accepted, status: 'False', reason: NotAllowed, message: no route, observedGeneration: 3}]}]", false, "Accepted is False: NotAllowed: no route"},
		{"refs denied", "[{conditions: [{type: Accepted, status: 'True', observedGeneration: 3}, {type: ResolvedRefs, status: 'False', reason: BackendNotFound, observedGeneration: 3}]}]", false, "ResolvedRefs is False: BackendNotFound"},
		{"one of two", "[{conditions: [{type: Accepted, status: 'True', observedGeneration: 3}]}, {conditions: []}]", false, "status.parents[1]"},
		{"nonsense", "[web]", false, "not Accepted yet"},
	} {
		_, ok, why, err := gateway.Verify([]*unstructured.Unstructured{route(t, both, c.parents)})
		if ok != c.taken || !strings.Contains(why, c.why) || err != nil {
			t.Errorf("%s: %v %q %v", c.name, ok, why, err)
		}
	}
}

func TestTheHighestWeightIsReadWhereRoutesDiffer(t *testing.T) {
	ten, err := gateway.SetWeight([]*unstructured.Unstructured{route(t, both, taken)}, 10)
	if err != nil {
		t.Fatal(err)
	}
	pair := []*unstructured.Unstructured{ten[0], route(t, both, taken)}
	if w, _, _, err := gateway.Verify(pair); w != 10 || err != nil {
		t.Errorf("%d %v", w, err)
	}
	out, err := gateway.SetWeight(pair, 10)
	if err != nil || len(out) != 1 {
		t.Errorf("only one must change: %d %v", len(out), err)
	}
	// Of git: no weights at all are one to one.
	if w, _, _, err := gateway.Verify([]*unstructured.Unstructured{route(t, "[{backendRefs: [{name: web-stable}, {name: web-canary}]}]", taken)}); w != 50 || err != nil {
		t.Errorf("%d %v", w, err)
	}
}

func FuzzGateway(f *testing.F) {
	f.Add(both, taken, int32(10))
	f.Add("[{backendRefs: [{name: web-stable, weight: x}, {name: web-canary, weight: 1.5}]}]", "[{conditions: [1]}]", int32(0))
	f.Fuzz(func(t *testing.T, rules, parents string, weight int32) {
		data, err := yaml.YAMLToJSON([]byte("{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a, namespace: shop}, spec: {rules: " + rules + "}, status: {parents: " + parents + "}}"))
		if err != nil {
			return
		}
		o := &unstructured.Unstructured{}
		if o.UnmarshalJSON(data) != nil {
			return
		}
		out, err := gateway.SetWeight([]*unstructured.Unstructured{o}, weight)
		if err != nil || len(out) == 0 {
			return
		}
		if got, _, _, err := gateway.Verify(out); got != weight || err != nil {
			t.Fatalf("%d is read as %d: %v", weight, got, err)
		}
	})
}
