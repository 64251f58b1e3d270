package lease

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"slipway/internal/manifest"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	body, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(body); err != nil {
		t.Fatal(err)
	}
	return u
}

func rolloutOf(t *testing.T, spec string) *unstructured.Unstructured {
	t.Helper()
	return object(t, "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\nspec: "+spec+"\n")
}

func TestWhichObjectsARolloutHolds(t *testing.T) {
	const itself = "Rollout.argoproj.io shop/web"
	for name, test := range map[string]struct {
		spec string
		want []string
	}{
		"the tutorial's two Services": {
			"{strategy: {canary: {canaryService: c, stableService: s, steps: [{setWeight: 10}, {pause: {duration: 10m}}]}}}",
			[]string{itself, "Service shop/c", "Service shop/s"},
		},
		"no Services": {"{strategy: {canary: {}}}", []string{itself}},
		"a route, in the Rollout's namespace": {
			"{strategy: {canary: {canaryService: c, stableService: s, trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: r}}}}}}",
			[]string{"HTTPRoute.gateway.networking.k8s.io shop/r", itself, "Service shop/c", "Service shop/s"},
		},
		"routes of another namespace": {
			"{strategy: {canary: {canaryService: c, stableService: s, trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {namespace: edge, httpRoutes: [{name: a}, {name: b}]}}}}}}",
			[]string{"HTTPRoute.gateway.networking.k8s.io edge/a", "HTTPRoute.gateway.networking.k8s.io edge/b", itself, "Service shop/c", "Service shop/s"},
		},
		"a workload":                            {"{workloadRef: {apiVersion: apps/v1, kind: Deployment, name: d}}", []string{"Deployment.apps shop/d", itself}},
		"what another controller drives":        {"{strategy: {blueGreen: {activeService: a, previewService: p}}}", []string{itself, "Service shop/a", "Service shop/p"}},
		"ping and pong":                         {"{strategy: {canary: {pingPong: {pingService: a, pongService: b}}}}", []string{itself, "Service shop/a", "Service shop/b"}},
		"a field that nobody knows yet":         {"{new: 1, strategy: {canary: {stableService: s, new: {}}}}", []string{itself, "Service shop/s"}},
		"a plugin whose settings make no sense": {"{strategy: {canary: {trafficRouting: {plugins: {argoproj-labs/gatewayAPI: [1]}}}}}", []string{itself}},
		"one that no API server has let in":     {"{strategy: 1}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for id, leases := range Of(rolloutOf(t, test.spec)) {
				got = append(got, id.String())
				if len(leases) != 1 || leases[0].Holder.String() != itself {
					t.Errorf("%s: %v", id, leases)
				}
			}
			slices.Sort(got)
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTwoRolloutsMayHoldOneObject(t *testing.T) {
	one, two := rolloutOf(t, "{strategy: {canary: {stableService: s}}}"), rolloutOf(t, "{strategy: {canary: {stableService: s}}}")
	two.SetName("api")
	on := Of(one, two)[manifest.ID{Kind: "Service", Namespace: "shop", Name: "s"}]
	if len(on) != 2 || on[0].Holder.Name != "web" || on[1].Holder.Name != "api" {
		t.Errorf("%v", on)
	}
}

// fields is what is held of an object, as text.
func fields(l Leases, said, live *unstructured.Unstructured) (out []string) {
	for _, lease := range l[manifest.IDOf(said)] {
		for _, f := range lease.Fields(said, live) {
			var path []string
			for _, p := range f.Path {
				path = append(path, fmt.Sprint(p))
			}
			line := strings.Join(path, " ")
			if f.Value != nil {
				line += fmt.Sprintf(" = %v", f.Value)
			}
			out = append(out, line)
		}
	}
	return out
}

func TestWhichFieldsOfAnObjectAreHeld(t *testing.T) {
	l := Of(rolloutOf(t, "{workloadRef: {apiVersion: apps/v1, kind: Deployment, name: d}, strategy: {canary: {canaryService: c, stableService: s, trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: r}}}}}}"))
	const notes = "metadata annotations "
	service := []string{notes + "argo-rollouts.argoproj.io/managed-by-rollouts", notes + "slipway.dev/rollout-fence"}
	hash := "spec selector rollouts-pod-template-hash = "
	of := func(kind, name, spec string) string {
		return kind + "\nmetadata: {name: " + name + ", namespace: shop}\nspec: " + spec + "\n"
	}
	const aService, aRoute = "apiVersion: v1\nkind: Service", "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute"
	for name, test := range map[string]struct {
		said, live string
		want       []string
	}{
		"one key of a selector":           {of(aService, "c", "{selector: {app: web}}"), of(aService, "c", "{selector: {app: web, rollouts-pod-template-hash: abc}}"), append(service, hash+"abc")},
		"that of git, where it has one":   {of(aService, "c", "{selector: {app: web, rollouts-pod-template-hash: old}}"), of(aService, "c", "{selector: {rollouts-pod-template-hash: abc}}"), append(service, hash+"abc")},
		"no key, before there is one":     {of(aService, "s", "{selector: {app: web}}"), of(aService, "s", "{selector: {app: web}}"), service},
		"no selector that git has not":    {of(aService, "s", "{}"), of(aService, "s", "{selector: {rollouts-pod-template-hash: abc}}"), service},
		"nothing of another Service":      {of(aService, "other", "{selector: {app: web}}"), of(aService, "other", "{selector: {rollouts-pod-template-hash: abc}}"), nil},
		"the replicas of a workload":      {of("apiVersion: apps/v1\nkind: Deployment", "d", "{replicas: 5}"), of("apiVersion: apps/v1\nkind: Deployment", "d", "{replicas: 0}"), []string{"spec replicas"}},
		"what a Rollout notes on itself":  {of("apiVersion: argoproj.io/v1alpha1\nkind: Rollout", "web", "{}"), of("apiVersion: argoproj.io/v1alpha1\nkind: Rollout", "web", "{}"), []string{notes + "rollout.argoproj.io/revision", notes + "rollout.argoproj.io/workload-generation", notes + "slipway.dev/rollout-fence"}},
		"the two weights of a route only": {of(aRoute, "r", "{rules: [{backendRefs: [{name: s, weight: 100}, {name: c, weight: 0}]}]}"), of(aRoute, "r", "{rules: [{backendRefs: [{name: s, weight: 40}, {name: c, weight: 60}]}]}"), []string{notes + "slipway.dev/rollout-fence", "spec rules 0 backendRefs 1 weight = 60", "spec rules 0 backendRefs 0 weight = 40"}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(test.want, fields(l, object(t, test.said), object(t, test.live))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRolloutsAreAskedForOnlyWhereSomebodyElseHasWritten(t *testing.T) {
	entry := func(manager string, op metav1.ManagedFieldsOperationType, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, Operation: op, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	const apply, update = metav1.ManagedFieldsOperationApply, metav1.ManagedFieldsOperationUpdate
	selector, rules, replicas := `{"f:spec":{"f:selector":{}}}`, `{"f:spec":{"f:rules":{}}}`, `{"f:spec":{"f:replicas":{}}}`
	route := schema.GroupKind{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}
	for name, test := range map[string]struct {
		gk      schema.GroupKind
		entries []metav1.ManagedFieldsEntry
		want    bool
	}{
		"nobody else":                  {schema.GroupKind{Kind: "Service"}, []metav1.ManagedFieldsEntry{entry("slipway", apply, selector)}, false},
		"a rollout":                    {schema.GroupKind{Kind: "Service"}, []metav1.ManagedFieldsEntry{entry("slipway", apply, `{"f:spec":{"f:ports":{}}}`), entry("slipway-rollout", update, selector)}, true},
		"a rollout that was merged":    {schema.GroupKind{Kind: "Service"}, []metav1.ManagedFieldsEntry{entry("slipway", apply, selector), entry("slipway-rollout", update, selector)}, true},
		"a rollout's annotation":       {schema.GroupKind{Kind: "Service"}, []metav1.ManagedFieldsEntry{entry("slipway-rollout", update, `{"f:metadata":{"f:annotations":{"f:a":{}}}}`)}, true},
		"an endpoint controller":       {schema.GroupKind{Kind: "Service"}, []metav1.ManagedFieldsEntry{entry("cloud", update, `{"f:status":{}}`)}, false},
		"a route":                      {route, []metav1.ManagedFieldsEntry{entry("rollouts-controller", update, rules)}, true},
		"a gateway's status":           {route, []metav1.ManagedFieldsEntry{entry("traefik", update, `{"f:status":{"f:parents":{}}}`)}, false},
		"a scaled workload":            {schema.GroupKind{Group: "apps", Kind: "Deployment"}, []metav1.ManagedFieldsEntry{entry("kubectl", update, replicas)}, true},
		"a Deployment's controller":    {schema.GroupKind{Group: "apps", Kind: "Deployment"}, []metav1.ManagedFieldsEntry{entry("kube-controller-manager", update, `{"f:metadata":{"f:annotations":{"f:deployment.kubernetes.io/revision":{}}},"f:status":{}}`)}, false},
		"a kind that no Rollout holds": {schema.GroupKind{Kind: "ConfigMap"}, []metav1.ManagedFieldsEntry{entry("kubectl", update, `{"f:data":{}}`)}, false},
		"entries that were wiped":      {schema.GroupKind{Kind: "Service"}, nil, true},
		"those of such a kind":         {schema.GroupKind{Kind: "ConfigMap"}, nil, false},
	} {
		if got := May(test.gk, test.entries); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
