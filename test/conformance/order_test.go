package conformance

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
)

// argoKinds is the order of kinds of argo-cd v3.5.1 (gitops-engine pkg/sync/sync_tasks.go), as argo-cd.md 2.3.2 has it.
const argoKinds = `Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget ServiceAccount Secret
SecretList ConfigMap StorageClass PersistentVolume PersistentVolumeClaim CustomResourceDefinition ClusterRole ClusterRoleList
ClusterRoleBinding ClusterRoleBindingList Role RoleList RoleBinding RoleBindingList Service DaemonSet Pod
ReplicationController ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet Job CronJob IngressClass Ingress APIService`

// thing is an object of "apiVersion kind namespace/name", with annotations.
func thing(spec string, annotations ...string) manifest.Object {
	f := strings.Fields(spec)
	ns, name, namespaced := strings.Cut(f[2], "/")
	if !namespaced {
		ns, name = "", ns
	}
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": f[0], "kind": f[1], "metadata": map[string]any{"name": name}}}
	u.SetNamespace(ns)
	notes := map[string]string{}
	for _, a := range annotations {
		k, v, _ := strings.Cut(a, "=")
		notes[k] = v
	}
	if len(notes) > 0 {
		u.SetAnnotations(notes)
	}
	return manifest.Object{Unstructured: u, File: "x.yaml"}
}

// definition is the CRD of a kind, of the name that its plural gives.
func definition(group, kind string) manifest.Object {
	o := thing("apiextensions.k8s.io/v1 CustomResourceDefinition " + strings.ToLower(kind) + "s." + group)
	o.Object["spec"] = map[string]any{"group": group, "names": map[string]any{"kind": kind}}
	return o
}

func names(objs []manifest.Object) []string {
	out := make([]string, len(objs))
	for i, o := range objs {
		out[i] = o.ID().String()
	}
	return out
}

func TestEachKindIsAppliedBeforeThoseThatArgoAppliesLater(t *testing.T) {
	kinds := append(strings.Fields(argoKinds), "Widget") // any other kind is last
	pairs := 0
	for i, first := range kinds {
		for _, second := range kinds[i+1:] {
			// The names say the other order. The group does not count, nor whether there is a namespace.
			for _, version := range []string{"v1", "apps/v1", "example.com/v1beta1"} {
				objs := []manifest.Object{thing(version + " " + second + " s/a"), thing(version + " " + first + " s/z")}
				manifest.Order(objs)
				if objs[0].GetKind() != first {
					t.Errorf("%s: %s comes before %s", version, second, first)
				}
				pairs++
			}
		}
	}
	t.Logf("%d kinds, %d pairs", len(kinds), pairs)
}

// TestTheRulesOfOrderAreArgos is argo-cd.md 2.3, rule by rule.
func TestTheRulesOfOrderAreArgos(t *testing.T) {
	for _, tt := range []struct {
		rule     string
		in, want []manifest.Object
	}{
		{
			"2.3.1: within a kind by name",
			[]manifest.Object{thing("v1 ConfigMap s/b"), thing("v1 ConfigMap s/a"), thing("v1 ConfigMap s/c")},
			[]manifest.Object{thing("v1 ConfigMap s/a"), thing("v1 ConfigMap s/b"), thing("v1 ConfigMap s/c")},
		},
		{
			"2.3.2: unknown kinds are one kind, last, and by name",
			[]manifest.Object{thing("x.io/v1 Zebra s/b"), thing("x.io/v1 Ant s/c"), thing("x.io/v1 Cat s/a"), thing("apiregistration.k8s.io/v1 APIService v1.x")},
			[]manifest.Object{thing("apiregistration.k8s.io/v1 APIService v1.x"), thing("x.io/v1 Cat s/a"), thing("x.io/v1 Zebra s/b"), thing("x.io/v1 Ant s/c")},
		},
		{
			"2.3.2: webhooks are unknown and so last, where Helm has them last too",
			[]manifest.Object{thing("admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration a"), thing("apps/v1 Deployment s/z")},
			[]manifest.Object{thing("apps/v1 Deployment s/z"), thing("admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration a")},
		},
		{
			"2.3.2: PriorityClass is unknown and so last, where Helm has it first",
			[]manifest.Object{thing("scheduling.k8s.io/v1 PriorityClass a"), thing("apps/v1 Deployment s/z")},
			[]manifest.Object{thing("apps/v1 Deployment s/z"), thing("scheduling.k8s.io/v1 PriorityClass a")},
		},
		{
			"2.3.3: a Namespace before its first user",
			[]manifest.Object{thing("tenancy.x.io/v1 Namespace zoo/ant"), thing("v1 Secret zoo/s"), thing("v1 Namespace zoo")},
			[]manifest.Object{thing("v1 Namespace zoo"), thing("tenancy.x.io/v1 Namespace zoo/ant"), thing("v1 Secret zoo/s")},
		},
		{
			"2.3.3: a CRD before its first user, and after what has no part in it",
			[]manifest.Object{thing("v1 Secret s/a"), thing("x.io/v1 Secret s/b"), thing("v1 Secret s/c"), definition("x.io", "Secret"), definition("a.io", "Foo"), thing("a.io/v1 Foo s/a")},
			[]manifest.Object{thing("v1 Secret s/a"), definition("x.io", "Secret"), thing("x.io/v1 Secret s/b"), thing("v1 Secret s/c"), definition("a.io", "Foo"), thing("a.io/v1 Foo s/a")},
		},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			manifest.Order(tt.in)
			if diff := gocmp.Diff(names(tt.want), names(tt.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhatWouldBeOrderedByPhaseOrWaveIsRefused: applied as one wave, such objects would go in an order that is not
// Argo's (argo-cd.md 2.3.1, 2.3.4).
func TestWhatWouldBeOrderedByPhaseOrWaveIsRefused(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		note    string
		refused bool
	}{
		{"a phase", "argocd.argoproj.io/hook=PreSync", true},
		{"a phase that Argo never applies", "argocd.argoproj.io/hook=Skip", true},
		{"Helm's hooks are phases", "helm.sh/hook=post-install", true},
		{"a CRD as Helm 2 had it is plain", "helm.sh/hook=crd-install", false},
		{"a wave", "argocd.argoproj.io/sync-wave=-1", true},
		{"the wave that all have", "argocd.argoproj.io/sync-wave=0", false},
		{"the wave is Helm's weight", "helm.sh/hook-weight=5", true},
		{"a wave that is no number: Argo takes the next, in silence", "argocd.argoproj.io/sync-wave=first", true},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			if err := manifest.Refuse(thing("v1 ConfigMap s/a", tt.note)); (err != nil) != tt.refused {
				t.Errorf("%s: %v", tt.note, err)
			}
		})
	}
}

// model is argo-cd.md 2.3 in its own words: kind, then name; then each Namespace and each CRD that has a user before it
// goes before the first one.
func model(objs []manifest.Object) []manifest.Object {
	kinds := strings.Fields(argoKinds)
	place := func(o manifest.Object) int {
		if i := slices.Index(kinds, o.GetKind()); i >= 0 {
			return i
		}
		return len(kinds)
	}
	out := slices.Clone(objs)
	slices.SortStableFunc(out, func(a, b manifest.Object) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.GetName(), b.GetName()))
	})
	for _, dependency := range []func(o, user manifest.Object) bool{inNamespace, ofDefinition} {
		for i, o := range out {
			first := slices.IndexFunc(out[:i], func(user manifest.Object) bool { return dependency(o, user) })
			if first >= 0 {
				out = slices.Insert(slices.Delete(out, i, i+1), first, o)
			}
		}
	}
	return out
}

func inNamespace(o, user manifest.Object) bool {
	return o.ID().GroupKind().String() == "Namespace" && user.GetNamespace() == o.GetName()
}

func ofDefinition(o, user manifest.Object) bool {
	group, _, _ := unstructured.NestedString(o.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(o.Object, "spec", "names", "kind")
	return o.GetKind() == "CustomResourceDefinition" && user.ID().Group == group && user.ID().Kind == kind
}

// TestAnySetOfObjectsIsOrderedAsArgoOrdersIt: all in one namespace and with names of their own, since Order sorts by
// namespace before name, and Argo leaves equal names in any order.
func TestAnySetOfObjectsIsOrderedAsArgoOrdersIt(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 0))
	kinds := []string{
		"v1 Secret", "v1 ConfigMap", "v1 Service", "apps/v1 Deployment", "batch/v1 Job", "v1 ServiceAccount", "x.io/v1 Secret", "x.io/v1 Foo",
		"y.io/v1 Foo", "y.io/v1 Service", "y.io/v1 ServiceAccount", "y.io/v1 Bar",
	}
	moved := 0
	for round := range 2000 {
		objs := []manifest.Object{thing("v1 Namespace shop"), thing("v1 Namespace other")}
		for i := range 1 + r.IntN(12) {
			objs = append(objs, thing(fmt.Sprintf("%s shop/%c%d", kinds[r.IntN(len(kinds))], 'a'+r.IntN(26), i)))
		}
		for _, d := range []manifest.Object{definition("x.io", "Secret"), definition("x.io", "Foo"), definition("y.io", "Service"), definition("y.io", "ServiceAccount")} {
			if r.IntN(2) == 0 {
				objs = append(objs, d)
			}
		}
		r.Shuffle(len(objs), func(i, j int) { objs[i], objs[j] = objs[j], objs[i] })
		want := model(objs)
		manifest.Order(objs)
		if diff := gocmp.Diff(names(want), names(objs)); diff != "" {
			t.Fatalf("seed %d, round %d (-Argo +ours):\n%s", seed, round, diff)
		}
		if i := slices.IndexFunc(objs, func(o manifest.Object) bool { return o.GetKind() == "CustomResourceDefinition" }); i >= 0 && i+1 < len(objs) {
			if slices.ContainsFunc(objs[i:], func(o manifest.Object) bool {
				return o.GetKind() == "ServiceAccount" || o.GetKind() == "Secret" || o.GetKind() == "ConfigMap"
			}) {
				moved++
			}
		}
	}
	if moved < 100 {
		t.Errorf("only %d of 2000 rounds moved a definition", moved)
	}
}
