//go:build cluster

package server

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"slipway/internal/app"
	"slipway/internal/kube"
	"slipway/internal/manifest"
	real "slipway/test/cluster"
)

func TestMain(m *testing.M) { real.Main(m) }

func TestARealServerKeepsTheContract(t *testing.T) {
	k, err := kube.Connect(app.Cluster{Name: "real", Kubeconfig: real.Kubeconfig()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	client, err := dynamic.NewForConfig(real.Admin(t))
	if err != nil {
		t.Fatal(err)
	}
	contract(t, func(t *testing.T) (cluster, people, string) {
		return k, realPeople{t, client}, real.Namespace(t)
	})
}

// realPeople work on ConfigMaps, PodTemplates and NetworkPolicies through client-go.
type realPeople struct {
	t      *testing.T
	client dynamic.Interface
}

func (p realPeople) at(id manifest.ID) dynamic.ResourceInterface {
	plural := map[string]string{"ConfigMap": "configmaps", "PodTemplate": "podtemplates", "NetworkPolicy": "networkpolicies"}[id.Kind]
	return p.client.Resource(id.GroupKind().WithVersion("v1").GroupVersion().WithResource(plural)).Namespace(id.Namespace)
}

func (p realPeople) Create(by string, u *unstructured.Unstructured) {
	p.t.Helper()
	if _, err := p.at(idOf(u)).Create(p.t.Context(), u, metav1.CreateOptions{FieldManager: by}); err != nil {
		p.t.Fatal(err)
	}
}

func (p realPeople) Edit(id manifest.ID, by string, change func(map[string]any)) {
	p.t.Helper()
	u, err := p.at(id).Get(p.t.Context(), id.Name, metav1.GetOptions{})
	if err != nil {
		p.t.Fatal(err)
	}
	change(u.Object)
	if _, err := p.at(id).Update(p.t.Context(), u, metav1.UpdateOptions{FieldManager: by}); err != nil {
		p.t.Fatal(err)
	}
}

func (p realPeople) Drop(id manifest.ID) {
	p.t.Helper()
	background := metav1.DeletePropagationBackground
	if err := p.at(id).Delete(p.t.Context(), id.Name, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		p.t.Fatal(err)
	}
}
