//go:build cluster

package deploy

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"slipway/test/cluster"
	"slipway/test/counted"
)

const (
	services = "services"
	routes   = "httproutes.gateway.networking.k8s.io"
	rollouts = "rollouts.v1alpha1.argoproj.io"
)

// newDelivered is an application with two Services and a route, in a cluster that knows Rollouts. The Rollout is somebody's:
// it may be of another application.
func newDelivered(t *testing.T) *real {
	t.Helper()
	cluster.InstallCRDs(t)
	cluster.InstallHTTPRoutes(t)
	r := newReal(t)
	r.ship(counted.Delivered)
	return r
}

func (r *real) roll() {
	r.t.Helper()
	if _, err := r.At(rollouts).Create(r.t.Context(), r.Object(counted.Canaried), metav1.CreateOptions{}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *real) merge(plural, name, manager, patch string, subresource ...string) {
	r.t.Helper()
	if _, err := r.At(plural).Patch(r.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager}, subresource...); err != nil {
		r.t.Fatal(err)
	}
}

// write is what a rollout writes in the middle of a canary.
func (r *real) write() {
	r.t.Helper()
	r.merge(services, "stable", "slipway-rollout", `{"metadata":{"annotations":{"argo-rollouts.argoproj.io/managed-by-rollouts":"web"}},"spec":{"selector":{"rollouts-pod-template-hash":"old"}}}`)
	r.merge(services, "canary", "slipway-rollout", `{"metadata":{"annotations":{"argo-rollouts.argoproj.io/managed-by-rollouts":"web"}},"spec":{"selector":{"rollouts-pod-template-hash":"new"}}}`)
	r.merge(routes, "web", "slipway-rollout", `{"spec":{"rules":[{"matches":[{"path":{"value":"/"}}],"backendRefs":[{"name":"stable","port":80,"weight":70},{"name":"canary","port":80,"weight":30}]}]}}`)
}

// traffic is the selectors and the rules as they are live.
func (r *real) traffic() string {
	r.t.Helper()
	var out []string
	for _, name := range []string{"stable", "canary"} {
		m, _, _ := unstructured.NestedStringMap(r.get("Service", name).Object, "spec", "selector")
		out = append(out, fmt.Sprintf("%s %s %s", name, m["app"], m["rollouts-pod-template-hash"]))
	}
	rules, _, err := nested(r.get("HTTPRoute.gateway.networking.k8s.io", "web").Object, "spec", "rules")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, rule := range rules {
		rule, _ := rule.(map[string]any)
		refs, _ := rule["backendRefs"].([]any)
		for _, ref := range refs {
			ref, _ := ref.(map[string]any)
			out = append(out, fmt.Sprint(ref["name"], " ", ref["weight"]))
		}
	}
	return strings.Join(out, ", ")
}

func (r *real) wantTraffic(when, want string) {
	r.t.Helper()
	if got := r.traffic(); got != want {
		r.t.Errorf("%s: %s, want %s", when, got, want)
	}
}

// A push in the middle of a canary took the weights back to git's and both Services to all pods (argo-rollouts #3854).
func TestASyncLeavesWhatARolloutHoldsAndSyncsWhatIsBeside(t *testing.T) {
	t.Parallel()
	r := newDelivered(t)
	r.roll()
	r.write()
	r.ship(counted.Delivered + "---\n" + configMap("m", "k: v"))
	r.wantTraffic("a push of something else", "stable web old, canary web new, stable 70, canary 30")
	r.ship(strings.NewReplacer("port: 80}]", "port: 81}]", "app: web", "app: shop").Replace(counted.Delivered))
	r.wantTraffic("other labels in the selectors", "stable shop old, canary shop new, stable 70, canary 30")
	rule := "  - matches: [{path: {value: /new}}]\n    backendRefs: [{name: canary, weight: 100}, {name: stable, weight: 0}]\n  - matches: [{path: {value: /other}}]\n    backendRefs: [{name: other, weight: 5}]\n"
	r.ship(strings.Replace(counted.Delivered, "  rules:\n", "  rules:\n"+rule, 1))
	r.wantTraffic("other rules", "stable web old, canary web new, canary 30, stable 70, other 5, stable 70, canary 30")
	if n := r.get("Service", "stable").GetAnnotations()["argo-rollouts.argoproj.io/managed-by-rollouts"]; n != "web" {
		t.Errorf("the Service's annotation is %q", n)
	}
	r.Take()
	r.push(map[string]string{"web.yaml": strings.Replace(counted.Delivered, "  rules:\n", "  rules:\n"+rule, 1), "a.yaml": configMap("a", "k: v")})
	r.mustSync()
	r.wantWrites("apply ConfigMap/a")
}

func TestASyncWithoutTheRolloutBringsBackWhatGitSays(t *testing.T) {
	t.Parallel()
	r := newDelivered(t)
	r.write()
	r.ship(strings.Replace(counted.Delivered, "port: 80}]", "port: 81}]", 2))
	r.wantTraffic("no Rollout", "stable web , canary web , stable 100, canary 0")
	r.roll()
	r.write()
	r.ship(counted.Delivered)
	r.wantTraffic("a Rollout", "stable web old, canary web new, stable 70, canary 30")
	if err := r.At(rollouts).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	r.ship(strings.Replace(counted.Delivered, "port: 80}]", "port: 81}]", 2) + "    timeouts: {request: 1s}\n")
	r.wantTraffic("the Rollout has gone", "stable web , canary web , stable 100, canary 0")
}

// What is merged was read before the write: the rollout may have come between.
func TestAWeightThatIsWrittenMeanwhileIsNotUndone(t *testing.T) {
	t.Parallel()
	r := newDelivered(t)
	r.roll()
	r.write()
	done := false
	r.Before(func(write string) {
		if write == "apply HTTPRoute/web" && !done {
			done = true
			r.merge(routes, "web", "slipway-rollout", `{"spec":{"rules":[{"matches":[{"path":{"value":"/"}}],"backendRefs":[{"name":"stable","port":80,"weight":40},{"name":"canary","port":80,"weight":60}]}]}}`)
		}
	})
	r.ship(counted.Delivered + "    timeouts: {request: 1s}\n")
	r.wantTraffic("a weight of 60 between the read and the write", "stable web old, canary web new, stable 40, canary 60")
	if !done {
		t.Error("the route was not written")
	}
}
