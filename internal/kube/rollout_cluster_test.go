//go:build cluster

package kube

import (
	"fmt"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/analysis"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/metrics"
	"slipway/test/cluster"
)

const aRollout = `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {canary: {steps: [{setWeight: 10}]}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
`

// rollouts is a cluster that knows Rollouts, a namespace in it, and one Rollout there, as a sync has applied it.
func rollouts(t *testing.T) (*RolloutClient, *Cluster, *unstructured.Unstructured) {
	t.Helper()
	cluster.InstallCRDs(t)
	c := connect(t)
	live := mustApply(t, c, fresh(object(t, namespace(t), aRollout)))
	return c.Rollouts(), c, live
}

func text(t *testing.T, u *unstructured.Unstructured, path ...string) string {
	t.Helper()
	v, _, err := unstructured.NestedFieldNoCopy(u.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(v)
}

func TestAPatchOfARolloutsStatusChangesNothingElse(t *testing.T) {
	r, _, live := rollouts(t)
	id := manifest.IDOf(live)
	got, err := r.Merge(t.Context(), id, live.GetUID(), live.GetResourceVersion(), "status", []byte(`{"spec":{"replicas":9},"status":{"stableRS":"abc","abort":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	if text(t, got, "status", "stableRS") != "abc" || text(t, got, "spec", "replicas") != "2" || got.GetGeneration() != live.GetGeneration() {
		t.Errorf("%v", got.Object)
	}
	if e := got.GetManagedFields(); len(e) != 2 || e[1].Manager != rolloutManager || e[1].Subresource != "status" {
		t.Errorf("managed fields %v", e)
	}
	got, err = r.Merge(t.Context(), id, got.GetUID(), got.GetResourceVersion(), "status", []byte(`{"status":{"abort":null}}`))
	if err != nil || text(t, got, "status", "abort") != "<nil>" || text(t, got, "status", "stableRS") != "abc" {
		t.Errorf("%v, %v", got, err)
	}
}

// The plugin's verbs are patches of the status (argo-rollouts.md 3): one that comes between our read and our write must
// stay.
func TestAVerbOfThePluginIsNotLostUnderAPatchOfOurs(t *testing.T) {
	r, c, live := rollouts(t)
	path := "/apis/argoproj.io/v1alpha1/namespaces/" + live.GetNamespace() + "/rollouts/web/status"
	other(t, c, "PATCH", path, mergePatch, nil, map[string]any{"status": map[string]any{"abort": true}})
	for _, sub := range []string{"status", ""} {
		_, err := r.Merge(t.Context(), manifest.IDOf(live), live.GetUID(), live.GetResourceVersion(), sub, []byte(`{"status":{"abort":false},"spec":{"paused":true}}`))
		mustBe(t, err, fault.Conflict)
	}
	now, err := r.Get(t.Context(), manifest.IDOf(live))
	if err != nil || text(t, now, "status", "abort") != "true" || text(t, now, "spec", "paused") != "<nil>" {
		t.Errorf("%v, %v", now, err)
	}
}

// A Deployment's controller writes its status while the object is new: every stale write must end as a conflict, and
// reading again must end that.
func TestAMergeThatRacesAControllerIsAConflictUntilItHasReadAgain(t *testing.T) {
	c, ns := connect(t), namespace(t)
	r := c.Rollouts()
	first := mustApply(t, c, fresh(object(t, ns, `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}
`)))
	id := manifest.IDOf(first)
	until(t, "the controller has written", func() bool {
		now, err := r.Get(t.Context(), id)
		return err == nil && now.GetResourceVersion() != first.GetResourceVersion()
	})
	_, err := r.Merge(t.Context(), id, first.GetUID(), first.GetResourceVersion(), "", []byte(`{"spec":{"replicas":5}}`))
	mustBe(t, err, fault.Conflict)
	if fault.IsInFlight(err) {
		t.Error("an answered write is in flight")
	}
	until(t, "a merge into what was read", func() bool {
		now, err := r.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Merge(t.Context(), id, now.GetUID(), now.GetResourceVersion(), "", []byte(`{"spec":{"replicas":3}}`))
		if err != nil {
			mustBe(t, err, fault.Conflict)
			return false
		}
		return text(t, got, "spec", "replicas") == "3"
	})
	now, err := r.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Merge(t.Context(), id, "not-its-uid", now.GetResourceVersion(), "", []byte(`{"spec":{"replicas":7}}`))
	mustBe(t, err, fault.Conflict)
	_, err = r.Merge(t.Context(), id, now.GetUID(), now.GetResourceVersion(), "", []byte(`{"spec":{"replicaz":7}}`))
	if !fault.Is(err, fault.Conflict) { // the controller may still be at it
		mustBe(t, err, fault.Invalid)
		says(t, err, `patch: strict decoding error: unknown field "spec.replicaz"`)
		if strings.Contains(err.Error(), "web:1") {
			t.Errorf("shows the whole object: %v", err)
		}
	}
}

func TestAnEvictionHearsThePodDisruptionBudget(t *testing.T) {
	c, ns := connect(t), namespace(t)
	r := c.Rollouts()
	pod := mustApply(t, c, fresh(object(t, ns, `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: "web:1"}]}
`)))
	mustApply(t, c, fresh(object(t, ns, `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
`)))
	budget := manifest.ID{Group: "policy", Kind: "PodDisruptionBudget", Namespace: ns, Name: "web"}
	until(t, "the pod runs and its budget counts it", func() bool {
		p, err := r.Get(t.Context(), manifest.IDOf(pod))
		b, err2 := r.Get(t.Context(), budget)
		return err == nil && err2 == nil && text(t, p, "status", "phase") == "Running" && text(t, b, "status", "currentHealthy") == "1"
	})
	err := r.Evict(t.Context(), ns, "web", pod.GetUID())
	mustBe(t, err, fault.Busy)
	says(t, err, "evict Pod "+ns+"/web: ", "disruption budget")
	live, err := r.Get(t.Context(), budget)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Remove(t.Context(), budget, live.GetUID(), live.GetResourceVersion()); err != nil {
		t.Fatal(err)
	}
	mustBe(t, r.Evict(t.Context(), ns, "web", "another-uid"), fault.Conflict)
	until(t, "the pod is evicted", func() bool {
		err := r.Evict(t.Context(), ns, "web", pod.GetUID())
		if err != nil {
			mustBe(t, err, fault.Busy) // the budget is gone a moment later for the eviction, too
		}
		return err == nil
	})
	until(t, "the pod is gone", func() bool { return absent(t, c, manifest.IDOf(pod)) })
	if err := r.Evict(t.Context(), ns, "web", pod.GetUID()); err != nil {
		t.Errorf("a pod that is gone: %v", err)
	}
}

func TestObjectsAreMadeOnceFoundBySelectorAndRemovedWithTheirDependents(t *testing.T) {
	r, c, owner := rollouts(t)
	ns := owner.GetNamespace()
	set := object(t, ns, `
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web-1, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "web:1"}]}}
`)
	yes := true
	set.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: owner.GetAPIVersion(), Kind: "Rollout", Name: "web", UID: owner.GetUID(), Controller: &yes}})
	made, err := r.Create(t.Context(), set)
	if err != nil || made.GetUID() == "" || made.GetManagedFields()[0].Manager != rolloutManager {
		t.Fatalf("%v, %v", made, err)
	}
	_, err = r.Create(t.Context(), set)
	mustBe(t, err, fault.Conflict)
	sets := schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
	for selector, want := range map[string]int{"": 1, "app=web": 1, "app=other": 0, "app notin (web)": 0} {
		items, err := r.All(t.Context(), sets, ns, selector)
		if err != nil || len(items) != want || want > 0 && (items[0].GetKind() != "ReplicaSet" || items[0].GetAPIVersion() != "apps/v1" || text(t, &items[0], "spec", "template", "spec", "containers") == "<nil>") {
			t.Errorf("%q: %v, %v", selector, items, err)
		}
	}
	_, err = r.All(t.Context(), sets, ns, "app in")
	mustBe(t, err, fault.Invalid)
	pods := schema.GroupKind{Kind: "Pod"}
	count := func() int {
		items, err := r.All(t.Context(), pods, ns, "app=web")
		if err != nil {
			t.Fatal(err)
		}
		return len(items)
	}
	until(t, "the ReplicaSet has its pod", func() bool { return count() == 1 })
	until(t, "the ReplicaSet is removed", func() bool {
		now, err := r.Get(t.Context(), manifest.IDOf(set))
		if err != nil {
			t.Fatal(err)
		}
		err = r.Remove(t.Context(), manifest.IDOf(set), now.GetUID(), now.GetResourceVersion())
		if err != nil {
			mustBe(t, err, fault.Conflict) // its controller writes its status
		}
		return err == nil
	})
	until(t, "the pod went after it", func() bool { return count() == 0 })
	everywhere, err := r.All(t.Context(), owner.GroupVersionKind().GroupKind(), "", "app=web")
	if err != nil || len(everywhere) == 0 {
		t.Errorf("%v, %v", everywhere, err)
	}
	mustBe(t, r.Remove(t.Context(), manifest.IDOf(owner), owner.GetUID(), "1"), fault.Conflict)
	if err := r.Remove(t.Context(), manifest.IDOf(owner), owner.GetUID(), owner.GetResourceVersion()); err != nil {
		t.Fatal(err)
	}
	if !absent(t, c, manifest.IDOf(owner)) {
		t.Error("a removal waits for the dependents")
	}
	if err := r.Remove(t.Context(), manifest.IDOf(owner), owner.GetUID(), owner.GetResourceVersion()); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
}

func TestTheTutorialsPrometheusIsAskedThroughTheServiceProxy(t *testing.T) {
	c, ns := connect(t), namespace(t)
	api, transport := c.Proxy()
	ask := func() error {
		p := metrics.New(metrics.Options{API: api, Transport: transport, Namespace: ns})
		_, _, err := p.Query(t.Context(), v1alpha1.PrometheusMetric{Address: "http://prometheus:9090", Query: "up"}, metav1.Now().Time)
		return err
	}
	err := ask()
	mustBe(t, err, fault.NotFound)
	says(t, err, `services \"prometheus\" not found`)
	mustApply(t, c, fresh(object(t, ns, `{apiVersion: v1, kind: Service, metadata: {name: prometheus}, spec: {ports: [{port: 9090}], selector: {app: none}}}`)))
	until(t, "the API server knows the Service", func() bool { err = ask(); return !fault.Is(err, fault.NotFound) })
	mustBe(t, err, fault.Unavailable)
	says(t, err, "no endpoints available")
}

func TestTemplatesAndSecretsOfAnAnalysisAreReadFromTheCluster(t *testing.T) {
	cluster.InstallCRDs(t)
	c, ns := connect(t), namespace(t)
	mustApply(t, c, fresh(object(t, ns, `
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rate}
spec: {metrics: [{name: rate, interval: 1m, provider: {prometheus: {address: "http://prometheus:9090", query: up}}}]}
`)))
	mustApply(t, c, fresh(object(t, ns, `{apiVersion: v1, kind: Secret, metadata: {name: login}, data: {token: czNjcmV0}}`)))
	got, err := analysis.Stored{Cluster: "real", Namespace: ns, Get: c.Rollouts().Get}.Template(t.Context(), "rate", false)
	if err != nil || len(got.Spec.Metrics) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = analysis.Stored{Cluster: "real", Namespace: ns, Get: c.Rollouts().Get}.Template(t.Context(), "rate", true)
	mustBe(t, err, fault.NotFound)
	value, err := c.Secret(t.Context(), ns, "login", "token")
	if err != nil || string(value.Reveal()) != "s3cret" || strings.Contains(fmt.Sprint(value), "s3cret") {
		t.Errorf("%v, %v", value, err)
	}
}
