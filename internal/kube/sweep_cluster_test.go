//go:build cluster

package kube

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// stamped is a ConfigMap of an application of ours.
func stamped(t *testing.T, namespace, name string, data map[string]string) *unstructured.Unstructured {
	t.Helper()
	u := configMap(t, namespace, name, data)
	manifest.Stamp(u, "argocd/"+namespace, manifest.DigestOf(u), 0)
	return u
}

// sweepOf is what a sweep of kinds sees in a namespace, and the whole of its result.
func sweepOf(t *testing.T, c *Cluster, namespace string, kinds []schema.GroupKind) (map[string]metav1.PartialObjectMetadata, manifest.Swept) {
	t.Helper()
	found := make(chan map[string]metav1.PartialObjectMetadata, 1)
	found <- map[string]metav1.PartialObjectMetadata{}
	result, err := c.Sweep(t.Context(), kinds, func(_ schema.GroupKind, _ string, items []metav1.PartialObjectMetadata) error {
		m := <-found
		for i := range items {
			if items[i].Namespace == namespace {
				m[items[i].Kind+" "+items[i].Name] = *items[i].DeepCopy()
			}
		}
		found <- m
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return <-found, result
}

func TestASweepSeesWhatIsOursOnARealServer(t *testing.T) {
	c, ns := connect(t), namespace(t)
	live := mustApply(t, c, fresh(stamped(t, ns, "a", map[string]string{"k": "1"})))
	mustApply(t, c, fresh(configMap(t, ns, "unlabelled", nil)))
	gone := schema.GroupKind{Group: "example.com", Kind: "Gone"}
	found, result := sweepOf(t, c, ns, []schema.GroupKind{configMapKind, deploymentKind, gone})
	m, ok := found["ConfigMap a"]
	if !ok || len(found) != 1 || m.APIVersion != "v1" || m.ResourceVersion != live.GetResourceVersion() || !ownership.Owns(&m) {
		t.Fatalf("found %v", found)
	}
	if result.Whole[configMapKind] == "" || result.Whole[deploymentKind] == "" || result.Whole[gone] != "" || len(result.Whole) != 3 {
		t.Errorf("%+v", result)
	}
	all, result := sweepOf(t, c, ns, nil)
	if len(all) != 1 || len(result.Whole) < 30 || result.Requests != len(result.Whole) {
		t.Errorf("of all kinds %v, %d requests for %d kinds", all, result.Requests, len(result.Whole))
	}
}

func TestAnUntouchedObjectHashesTheSameInEverySweepAndAnEditedOneDoesNot(t *testing.T) {
	c, ns := connect(t), namespace(t)
	live := mustApply(t, c, fresh(stamped(t, ns, "a", map[string]string{"k": "1"})))
	hash := func() string {
		found, _ := sweepOf(t, c, ns, []schema.GroupKind{configMapKind})
		m := found["ConfigMap a"]
		return ownership.Fast(&m)
	}
	before := hash()
	mustApply(t, c, at(stamped(t, ns, "a", map[string]string{"k": "1"}), live)) // changes nothing
	if hash() != before {
		t.Error("the same apply changed it")
	}
	other(t, c, http.MethodPatch, configMaps(ns)+"/a", mergePatch, map[string]string{"fieldManager": "kubectl-edit"}, map[string]any{"data": map[string]any{"k": "2"}})
	if hash() == before {
		t.Error("an edit did not change it")
	}
}

// Deploy may keep the hash of its own apply's answer and compare it with that of a sweep.
func TestAnApplyAnsweredWithMetadataHashesAsASweepDoes(t *testing.T) {
	c, ns := connect(t), namespace(t)
	u := stamped(t, ns, "a", map[string]string{"k": "1", "other": "2"})
	u.SetResourceVersion("1")
	m := applied(t, c, u, acceptMetadata)
	found, _ := sweepOf(t, c, ns, []schema.GroupKind{configMapKind})
	swept := found["ConfigMap a"]
	if m.UID == "" || ownership.Fast(m) != ownership.Fast(&swept) {
		t.Errorf("applied %v, swept %v", m, swept)
	}
	if d := cmp.Diff(m.ManagedFields, swept.ManagedFields); d != "" {
		t.Error(d)
	}
}

// applied is the metadata that an apply answers with.
func applied(t testing.TB, c *Cluster, u *unstructured.Unstructured, accept string) *metav1.PartialObjectMetadata {
	t.Helper()
	r, _, err := c.object(t.Context(), "apply", http.MethodPatch, manifest.IDOf(u), u.GroupVersionKind().Version)
	if err != nil {
		t.Fatal(err)
	}
	if r.body, err = json.Marshal(u.Object); err != nil {
		t.Fatal(err)
	}
	r.content, r.accept = string(types.ApplyPatchType), accept
	r.query.Set("fieldManager", manifest.Manager)
	r.query.Set("force", "true")
	a, err := c.call(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	m := &metav1.PartialObjectMetadata{}
	if err := decodeMetadata(r, a, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func BenchmarkApplyAnsweredWith(b *testing.B) {
	for name, accept := range map[string]string{"the object in JSON": acceptJSON, "metadata in protobuf": acceptMetadata} {
		b.Run(name, func(b *testing.B) {
			c := connect(b)
			u := &unstructured.Unstructured{}
			if err := u.UnmarshalJSON(fixtureDeployment); err != nil {
				b.Fatal(err)
			}
			u.SetNamespace("default")
			for n := 0; b.Loop(); n++ {
				u.SetAnnotations(map[string]string{"n": time.Now().String()}) // or nothing is written
				applied(b, c, u, accept)
			}
		})
	}
}

var fixtureDeployment = []byte(`{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"bench"},"spec":{"replicas":0,"selector":{"matchLabels":{"app":"a"}},
 "template":{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[{"name":"web","image":"web:1","ports":[{"name":"http","containerPort":8080}],
 "env":[{"name":"A","value":"1"},{"name":"B","value":"2"}],"resources":{"requests":{"cpu":"100m","memory":"128Mi"}}}]}}}}`)
