//go:build conformance && linux

package router

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"slipway/internal/local"
	"slipway/internal/record"
	"slipway/test/cluster"
	"slipway/test/e2e/up"
)

const (
	namespace = "production"
	orderKey  = "in-cluster/production/order-service"
	// rolled is how long a step of a rollout may take to be seen, on a loaded machine.
	rolled = 3 * time.Minute
	// requests are counted at each weight, and tolerance is how far the canary's share of them may be off, in percent of all.
	requests  = 2000
	tolerance = 2
	probe     = 200 // requests that show whether the router has heard of a weight
)

const application = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: order-service, namespace: argocd}
spec:
  source: {repoURL: https://github.com/myorg/k8s-config, path: apps, targetRevision: main}
  destination: {server: https://kubernetes.default.svc, namespace: production}
  syncPolicy: {syncOptions: [CreateNamespace=true], automated: {prune: true, selfHeal: true}}
`

const canary = `apiVersion: v1
kind: Service
metadata: {name: order-service-stable}
spec: {selector: {app: order-service}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: order-service-canary}
spec: {selector: {app: order-service}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: order-service}
spec:
  parentRefs: [{name: web, namespace: router}]
  hostnames: [order-service.test]
  rules: [{backendRefs: [{name: order-service-stable, port: 80, weight: 100}, {name: order-service-canary, port: 80, weight: 0}]}]
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: order-service}
spec:
  replicas: 5
  selector: {matchLabels: {app: order-service}}
  strategy:
    canary:
      canaryService: order-service-canary
      stableService: order-service-stable
      trafficRouting: {plugins: {argoproj-labs/gatewayAPI: {httpRoute: order-service}}}
      steps: [{setWeight: 10}, {pause: {}}, {setWeight: 30}, {pause: {}}, {setWeight: 60}, {pause: {}}]
  template:
    metadata: {labels: {app: order-service}}
    spec: {containers: [{name: order-service, image: "myorg/order-service:1.0.0", ports: [{containerPort: 8080}]}]}
`

// scene is a person who pushes to git, users who send requests all the time, and the router between them and the pods.
type scene struct {
	*up.Process
	*up.Repo
	*users
	t *testing.T
}

func newScene(t *testing.T) *scene {
	t.Helper()
	cluster.InstallCRDs(t)
	startRouter(t)
	servePods(t, namespace)
	p := up.Start(t, up.Options{Root: "myorg/k8s-config:argocd", Kubeconfig: cluster.Kubeconfig(), Watch: true})
	s := &scene{p, p.Repo("myorg/k8s-config"), newUsers(), t}
	s.Write(map[string]string{"argocd/order-service.yaml": application, "apps/canary.yaml": canary})
	s.Push("Add order-service")
	s.awaits("its first revision is stable", func(v local.Rollout) bool { return v.Stage == record.Healthy })
	up.Until(t, rolled, "the router finds the pods", func() (string, bool, string) {
		version, err := s.ask(t.Context())
		return version, err == nil, fmt.Sprint(err)
	})
	s.keepAsking(t)
	return s
}

func (s *scene) awaits(what string, ok func(local.Rollout) bool) local.Rollout {
	s.t.Helper()
	return up.Until(s.t, rolled, what, func() (local.Rollout, bool, string) {
		v, err := s.Client.Rollout(s.t.Context(), orderKey)
		return v, err == nil && ok(v), fmt.Sprintf("%+v, %v", v, err)
	})
}

func (s *scene) release(from, to string) {
	s.t.Helper()
	s.Edit("apps/canary.yaml", "order-service:"+from, "order-service:"+to)
	s.Push("Release " + to)
}

func (s *scene) promote() {
	s.t.Helper()
	if err := s.Client.Steer(s.t.Context(), orderKey, "promote", ""); err != nil {
		s.t.Fatal(err)
	}
}

// gets sees that a version gets its share of the requests: once the router has heard of it, and then of all.
func (s *scene) gets(version string, weight float64) {
	s.t.Helper()
	off := func(share float64) float64 { return math.Abs(share - weight) }
	up.Until(s.t, rolled, fmt.Sprintf("the router gives %s %g %%", version, weight), func() (float64, bool, string) {
		share := s.share(s.t.Context(), probe, version)
		return share, off(share) <= tolerance, fmt.Sprintf("it gives %.2f %%", share)
	})
	share := s.share(s.t.Context(), requests, version)
	s.t.Logf("%s: %.2f %% of %d requests at weight %g", version, share, requests, weight)
	if off(share) > tolerance {
		s.t.Errorf("%s got %.2f %% of the requests, want %g", version, share, weight)
	}
}

// set is the ReplicaSet of a version, as long as it is shown.
func set(v local.Rollout, version string) (local.ReplicaSet, bool) {
	for _, s := range v.Sets {
		if strings.HasSuffix(s.Image, ":"+version) {
			return s, true
		}
	}
	return local.ReplicaSet{}, false
}

// A whole canary behind a router, with one before it whose pods never get ready: each weight is obeyed, and of all requests
// from the first to the last none is lost.
func TestEveryWeightOfACanaryIsObeyedAndNoRequestIsLost(t *testing.T) {
	s := newScene(t)
	s.release("1.0.0", "broken")
	starts := func(v local.Rollout) bool {
		pods, ok := set(v, "broken")
		return ok && pods.Replicas > 0 && pods.Available == 0 && v.Phase == "Progressing"
	}
	s.awaits("the canary's pods start", starts)
	s.gets("broken", 0)
	if v := s.awaits("they still are not ready", starts); v.Weight != 0 {
		t.Errorf("a canary without a ready pod has weight %d", v.Weight)
	}

	s.release("broken", "1.1.0")
	for i, weight := range []float64{10, 30, 60} {
		s.awaits(fmt.Sprintf("it pauses at %g %%", weight), func(v local.Rollout) bool {
			pods, ok := set(v, "1.1.0")
			return ok && pods.Role == "canary" && v.Phase == "Paused" && v.Step == 2*i+1
		})
		s.gets("1.1.0", weight)
		s.promote()
	}
	s.awaits("it is promoted", func(v local.Rollout) bool { return v.Phase == "Healthy" && v.Stage == record.Healthy })
	s.gets("1.1.0", 100)
	s.awaits("the old pods are gone", func(v local.Rollout) bool {
		pods, ok := set(v, "1.0.0")
		return !ok || pods.Replicas == 0
	})
	s.gets("1.1.0", 100)
	if failures := s.failed(); len(failures) > 0 {
		t.Errorf("%d requests failed beside %v, the first: %s", len(failures), s.counted(), failures[0])
	}
	t.Logf("answers: %v", s.counted())
}
