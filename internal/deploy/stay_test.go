package deploy

import (
	"context"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/test/server"
)

// scaling is a cluster that tells what is autoscaled, and counts how often it is asked.
type scaling struct {
	*server.Server
	by    map[string][]manifest.ID // by namespace
	asked []string
	err   error
}

func (s *scaling) Autoscaled(_ context.Context, namespace string) ([]manifest.ID, error) {
	s.asked = append(s.asked, namespace) // one at a time, as scalers promises: the race detector tells
	return s.by[namespace], s.err
}

func workload(name, extra string) string {
	return "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec: {" + extra + "selector: {matchLabels: {app: web}}, " +
		"template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: \"nginx:1\"}]}}}\n"
}

func deploymentID(name string) manifest.ID {
	return manifest.ID{Group: "apps", Kind: "Deployment", Namespace: "production", Name: name}
}

func newScaling(t *testing.T) (*world, *scaling) {
	w := newWorld(t)
	s := &scaling{Server: w.server, by: map[string][]manifest.ID{}}
	w.cluster = s
	return w, s
}

func (s *scaling) replicas(t *testing.T, name string) any {
	t.Helper()
	u, err := s.Get(t.Context(), deploymentID(name))
	if err != nil {
		t.Fatal(err)
	}
	v, _ := replicasOf(u)
	return v
}

func (s *scaling) scale(name string, n int64) {
	s.Edit(deploymentID(name), "kube-controller-manager", func(o map[string]any) {
		_ = unstructured.SetNestedField(o, n, "spec", "replicas")
	})
}

func TestWhichAutoscalersAreAskedFor(t *testing.T) {
	w, s := newScaling(t)
	many := workload("a", "replicas: 1, ") + workload("b", "replicas: 1, ") + workload("c", "")
	w.push(map[string]string{"a.yaml": many, "b.yaml": configMap("m", "k: v1")})
	w.mustSync()
	if len(s.asked) > 0 {
		t.Errorf("asked for %q at the first creation", s.asked)
	}
	w.push(map[string]string{"a.yaml": many, "b.yaml": configMap("m", "k: v2")})
	w.mustSync()
	if len(s.asked) > 0 {
		t.Errorf("asked for %q for a ConfigMap", s.asked)
	}
	w.push(map[string]string{"a.yaml": strings.Replace(many, "replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}", "replicas: 1, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web, v: two}}", 2), "b.yaml": configMap("m", "k: v2")})
	w.mustSync()
	if !slices.Equal(s.asked, []string{"production"}) {
		t.Errorf("asked for %q for two Deployments of one namespace", s.asked)
	}
}

func TestReplicasUnderAScaledObjectOfTheSetStay(t *testing.T) {
	w, s := newScaling(t)
	set := workload("web", "replicas: 1, ") + "---\napiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: web}\nspec: {scaleTargetRef: {name: web}}\n"
	w.push(map[string]string{"a.yaml": set})
	w.mustSync()
	if n := s.replicas(t, "web"); n != int64(1) {
		t.Errorf("created with %v", n)
	}
	s.scale("web", 5)
	w.push(map[string]string{"a.yaml": strings.Replace(set, "nginx:1", "nginx:2", 1)})
	w.mustSync()
	if n := s.replicas(t, "web"); n != int64(5) {
		t.Errorf("%v replicas", n)
	}
}

func TestReplicasWithoutAnAutoscalerAreGits(t *testing.T) {
	w, s := newScaling(t)
	s.by["production"] = []manifest.ID{deploymentID("other")}
	w.push(map[string]string{"a.yaml": workload("web", "replicas: 1, ")})
	w.mustSync()
	s.scale("web", 5)
	w.push(map[string]string{"a.yaml": strings.Replace(workload("web", "replicas: 1, "), "nginx:1", "nginx:2", 1)})
	w.mustSync()
	if n := s.replicas(t, "web"); n != int64(1) {
		t.Errorf("%v replicas", n)
	}
}

// Whether a service may be scaled down is not guessed.
func TestASyncThatCannotTellAboutAutoscalersWritesNothing(t *testing.T) {
	w, s := newScaling(t)
	w.push(map[string]string{"a.yaml": workload("web", "replicas: 1, ")})
	w.mustSync()
	s.scale("web", 5)
	s.err = fault.New(fault.Unavailable, "list HorizontalPodAutoscaler: away")
	w.push(map[string]string{"a.yaml": strings.Replace(workload("web", "replicas: 1, "), "nginx:1", "nginx:2", 1)})
	if err := w.sync(); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	if n := s.replicas(t, "web"); n != int64(5) {
		t.Errorf("%v replicas", n)
	}
}

// What is merged was read after the fence, so its resourceVersion may be that of a newer run (rules 10 and 12).
func TestTheFenceIsReadAgainAfterAnObjectWasReadForItsValues(t *testing.T) {
	w, s := newScaling(t)
	w.app.IgnoreDifferences = []app.IgnoreDifference{{Group: "apps", Kind: "Deployment", JSONPointers: []string{"/spec/replicas"}}}
	w.app.Sync.RespectIgnoreDifferences = true
	w.declare(w.app)
	w.push(map[string]string{"a.yaml": workload("web", "replicas: 1, ")})
	w.mustSync()
	s.scale("web", 5)
	w.push(map[string]string{"a.yaml": strings.Replace(workload("web", "replicas: 1, "), "nginx:1", "nginx:2", 1)})
	s.Once("get", func() {
		if err := w.stores.Records.Delete(t.Context(), w.app.Key()); err != nil {
			t.Error(err)
		}
	})
	if err := w.sync(); err == nil || !strings.Contains(err.Error(), "its record is gone") {
		t.Error(err)
	}
	u, err := s.Get(t.Context(), deploymentID("web"))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := u.MarshalJSON(); strings.Contains(string(b), "nginx:2") {
		t.Error("written after the fence was lost")
	}
}

func TestAnotherSetOfIgnoredFieldsHasEveryObjectJudgedAnew(t *testing.T) {
	w, _ := newScaling(t)
	w.push(map[string]string{"a.yaml": configMap("m", "k: v1")})
	w.mustSync()
	judged := func() bool {
		b, err := w.stores.Blobs.Get(t.Context(), w.record().Done.Inventory)
		if err != nil {
			t.Fatal(err)
		}
		inv, err := decodeInventory(b)
		if err != nil {
			t.Fatal(err)
		}
		return inv[cm("m")].Generation >= 0
	}
	for _, rules := range [][]app.IgnoreDifference{{{Kind: "ConfigMap", JSONPointers: []string{"/data/k"}}}, {{Kind: "ConfigMap", JSONPointers: []string{"/data/j"}}}, nil} {
		w.app.IgnoreDifferences = rules
		w.declare(w.app)
		w.push(map[string]string{"a.yaml": configMap("m", "k: v1")})
		w.mustSync()
		if judged() {
			t.Errorf("after %v nothing is looked at", rules)
		}
		if h := w.record().History[0]; h.Applied > 0 {
			t.Errorf("%d objects were applied for the sake of what is ignored", h.Applied)
		}
	}
}
