package manifest

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// argo is the order of argo-cd v3.5 (gitops-engine pkg/sync/sync_tasks.go), as the reference lists it.
var argo = []string{
	"v1 Namespace a", "networking.k8s.io/v1 NetworkPolicy s/a", "v1 ResourceQuota s/a", "v1 LimitRange s/a",
	"policy/v1beta1 PodSecurityPolicy a", "policy/v1 PodDisruptionBudget s/a", "v1 ServiceAccount s/a", "v1 Secret s/a",
	"v1 SecretList s/a", "v1 ConfigMap s/a", "storage.k8s.io/v1 StorageClass a", "v1 PersistentVolume a",
	"v1 PersistentVolumeClaim s/a", "apiextensions.k8s.io/v1 CustomResourceDefinition foos.example.com",
	"rbac.authorization.k8s.io/v1 ClusterRole a", "rbac.authorization.k8s.io/v1 ClusterRoleList a",
	"rbac.authorization.k8s.io/v1 ClusterRoleBinding a", "rbac.authorization.k8s.io/v1 ClusterRoleBindingList a",
	"rbac.authorization.k8s.io/v1 Role s/a", "rbac.authorization.k8s.io/v1 RoleList s/a",
	"rbac.authorization.k8s.io/v1 RoleBinding s/a", "rbac.authorization.k8s.io/v1 RoleBindingList s/a",
	"v1 Service s/a", "apps/v1 DaemonSet s/a", "v1 Pod s/a", "v1 ReplicationController s/a", "apps/v1 ReplicaSet s/a",
	"apps/v1 Deployment s/a", "autoscaling/v2 HorizontalPodAutoscaler s/a", "apps/v1 StatefulSet s/a", "batch/v1 Job s/a",
	"batch/v1 CronJob s/a", "networking.k8s.io/v1 IngressClass a", "networking.k8s.io/v1 Ingress s/a",
	"apiregistration.k8s.io/v1 APIService v1.x", "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration z",
	"example.com/v1 Bar s/a", "example.com/v1 Foo s/a",
}

func objects(specs []string) []Object {
	out := make([]Object, len(specs))
	for i, s := range specs {
		out[i] = obj(s)
	}
	return out
}

func TestObjectsAreAppliedInArgosOrderOfKinds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		objs := objects(argo)
		r.Shuffle(len(objs), func(i, j int) { objs[i], objs[j] = objs[j], objs[i] })
		Order(objs)
		if diff := cmp.Diff(ids(objects(argo)), ids(objs)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestWithinAKindTheOrderIsNamespaceThenName(t *testing.T) {
	objs := objects([]string{"v1 ConfigMap b/a", "v1 ConfigMap a/z", "v1 ConfigMap a/b", "v1 ConfigMap a"})
	Order(objs)
	if diff := cmp.Diff([]string{"ConfigMap a", "ConfigMap a/b", "ConfigMap a/z", "ConfigMap b/a"}, ids(objs)); diff != "" {
		t.Error(diff)
	}
}

func crd(name, group, kind string) Object {
	o := obj("apiextensions.k8s.io/v1 CustomResourceDefinition " + name)
	o.Object["spec"] = map[string]any{"group": group, "names": map[string]any{"kind": kind}}
	return o
}

func TestADefinitionGoesBeforeItsFirstUser(t *testing.T) {
	objs := []Object{
		obj("vault.example.com/v1 Secret s/one"), obj("vault.example.com/v1 Secret s/two"), obj("v1 ConfigMap s/c"),
		crd("secrets.vault.example.com", "vault.example.com", "Secret"), obj("v1 Namespace s"), obj("v1 Secret s/plain"),
	}
	Order(objs)
	want := []string{
		"Namespace s", "CustomResourceDefinition.apiextensions.k8s.io secrets.vault.example.com",
		"Secret.vault.example.com s/one", "Secret s/plain", "Secret.vault.example.com s/two", "ConfigMap s/c",
	}
	if diff := cmp.Diff(want, ids(objs)); diff != "" {
		t.Error(diff)
	}
}

func TestANamespaceGoesBeforeAllThatIsInIt(t *testing.T) {
	objs := []Object{obj("tenancy.example.com/v1 Namespace ant/a"), obj("v1 Secret zoo/s"), obj("v1 Namespace zoo"), obj("x.io/v1 Foo zoo/f")}
	Order(objs)
	want := []string{"Namespace zoo", "Namespace.tenancy.example.com ant/a", "Secret zoo/s", "Foo.x.io zoo/f"}
	if diff := cmp.Diff(want, ids(objs)); diff != "" {
		t.Error(diff)
	}
}

func TestOrderDoesNotDependOnTheInput(t *testing.T) {
	specs := append(slices.Clone(argo), "vault.example.com/v1 Secret s/a", "example.com/v2 Foo s/b", "v1 Namespace s", "x.io/v1 Namespace s/n")
	var want []string
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		objs := append(objects(specs), crd("secrets.vault.example.com", "vault.example.com", "Secret"))
		r.Shuffle(len(objs), func(i, j int) { objs[i], objs[j] = objs[j], objs[i] })
		Order(objs)
		if want == nil {
			want = ids(objs)
		}
		if diff := cmp.Diff(want, ids(objs)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestPruneGoesBackwards(t *testing.T) {
	var list []ID
	for _, s := range argo {
		list = append(list, obj(s).ID())
	}
	want := slices.Clone(list)
	slices.Reverse(want)
	r := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		PruneOrder(list)
		if diff := cmp.Diff(want, list); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestCustomObjectsArePrunedBeforeTheirDefinition(t *testing.T) {
	list := []ID{
		obj("apiextensions.k8s.io/v1 CustomResourceDefinition secrets.vault.example.com").ID(),
		obj("vault.example.com/v1 Secret s/a").ID(), obj("vault.example.com/v1 Secret s/b").ID(), obj("v1 Namespace s").ID(),
	}
	PruneOrder(list)
	want := []ID{
		obj("vault.example.com/v1 Secret s/b").ID(), obj("vault.example.com/v1 Secret s/a").ID(),
		obj("apiextensions.k8s.io/v1 CustomResourceDefinition secrets.vault.example.com").ID(), obj("v1 Namespace s").ID(),
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
}
