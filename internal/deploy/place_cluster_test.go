//go:build cluster

package deploy

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

var namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

func (r *real) sweepNamespace(name string) {
	r.t.Cleanup(func() {
		_ = r.Others.Resource(namespaces).Delete(contextOf(r.t), name, metav1.DeleteOptions{})
	})
}

func TestTheDestinationsNamespaceIsMadeWhereThatIsAskedFor(t *testing.T) {
	r := newReal(t)
	r.app.Destination.Namespace = r.Namespace + "-made"
	r.sweepNamespace(r.Namespace + "-made")
	r.declare(r.app)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	if err := r.sync(); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "apps/shop/a.yaml") {
		t.Fatalf("without CreateNamespace: %v", err)
	}
	if rec := r.record(); !rec.Pending() {
		t.Error("it is given up, though somebody may make the namespace")
	}
	r.app.Sync.CreateNamespace = true
	r.declare(r.app)
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	ns, err := r.Others.Resource(namespaces).Get(t.Context(), r.Namespace+"-made", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if ns.GetLabels()[manifest.Label] != "" {
		t.Error("the namespace carries our label: it would be pruned")
	}
	if !strings.Contains(r.notes(), "created namespace "+r.Namespace+"-made") {
		t.Errorf("the notes are %q", r.notes())
	}
}

func TestANamespaceOfTheSetComesBeforeWhatLivesInIt(t *testing.T) {
	r := newReal(t)
	name := r.Namespace + "-set"
	r.sweepNamespace(name)
	namespace := "apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + ", namespace: ignored}\n"
	object := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: " + name + "}\ndata: {k: VALUE}\n"
	r.push(map[string]string{"ns.yaml": namespace, "a.yaml": strings.Replace(object, "VALUE", "v1", 1)})
	r.mustSync()
	r.wantWrites("apply Namespace/"+name, "apply ConfigMap/a")
	t.Run("is tried in from then on", func(t *testing.T) {
		r.push(map[string]string{"ns.yaml": namespace, "a.yaml": strings.Replace(object, "VALUE", "[1]", 1)})
		if err := r.sync(); !fault.Is(err, fault.Invalid) {
			t.Errorf("the error is %v", err)
		}
		r.wantWrites()
	})
	t.Run("and stays when it leaves git", func(*testing.T) {
		r.push(map[string]string{"b.yaml": configMap("b", "k: v1")})
		r.mustSync()
		r.wantWrites("apply ConfigMap/b", "delete ConfigMap/a")
	})
}

func TestANamespaceThatIsBeingTerminatedIsWaitedFor(t *testing.T) { // faults 32
	r := newReal(t)
	name := r.Namespace + "-ending"
	if _, err := r.Others.Resource(namespaces).Create(t.Context(), r.clusterObject("apiVersion: v1\nkind: Namespace\nmetadata: {name: "+name+"}\n"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	r.app.Destination.Namespace, r.app.Sync.CreateNamespace = name, true
	r.declare(r.app)
	held := r.clusterObject("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/wait]}\n")
	maps := r.Others.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}).Namespace(name)
	if _, err := maps.Create(t.Context(), held, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := r.Others.Resource(namespaces).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	if err := r.sync(); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "terminated") {
		t.Errorf("the error is %v", err)
	}
	if rec := r.record(); !rec.Pending() || rec.Lock.Owner != "" {
		t.Errorf("the record says %+v", rec)
	}
	if _, err := maps.Patch(t.Context(), "held", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	r.sweepNamespace(name)
	r.Eventually("the namespace is gone, and the application is in a new one", func() bool { return r.sync() == nil })
	if _, err := maps.Get(t.Context(), "a", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

const widgets = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP, annotations: {slipway.dev/allow-prune: "true"}}
spec:
  group: GROUP
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
`

func TestADefinitionAndItsObjectsComeInOneCommit(t *testing.T) { // faults 31
	r := newReal(t)
	group := r.Namespace + ".example.com"
	crd := strings.ReplaceAll(widgets, "GROUP", group)
	widget := "apiVersion: " + group + "/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: VALUE}\n"
	r.push(map[string]string{"w.yaml": strings.Replace(widget, "VALUE", "1", 1), "a.yaml": configMap("a", "k: v1")})
	if err := r.sync(); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "apps/shop/w.yaml: Widget w: the cluster knows no kind Widget") {
		t.Fatalf("without the definition: %v", err)
	}
	r.push(map[string]string{"crd.yaml": crd, "w.yaml": strings.Replace(widget, "VALUE", "1", 1), "a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	r.wantWrites("apply CustomResourceDefinition/widgets."+group, "apply Widget/w", "apply ConfigMap/a")
	t.Run("and are tried from then on", func(t *testing.T) {
		r.push(map[string]string{"crd.yaml": crd, "w.yaml": strings.Replace(widget, "VALUE", "large", 1), "a.yaml": configMap("a", "k: v2")})
		if err := r.sync(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "apps/shop/w.yaml") {
			t.Errorf("the error is %v", err)
		}
		r.wantWrites()
	})
	t.Run("and go in one, the objects first", func(t *testing.T) {
		r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
		r.mustSync()
		var gone []string
		for _, w := range r.Writes() {
			if strings.HasPrefix(w, "delete") {
				gone = append(gone, w)
			}
		}
		if len(gone) < 2 || gone[0] != "delete Widget/w" {
			t.Errorf("deleted were %v", gone)
		}
	})
}

func TestClusterScopedObjectsLoseTheirNamespaceAndAreFoundAgain(t *testing.T) {
	r := newReal(t)
	role := "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + r.Namespace + ", namespace: somewhere}\nrules: []\n"
	r.push(map[string]string{"role.yaml": role, "a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	r.Take()
	r.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	r.mustSync()
	r.wantWrites("delete ClusterRole/" + r.Namespace)
}

func TestTwoVersionsOfAnObjectAreOneAndTheLastWins(t *testing.T) {
	r := newReal(t)
	scaler := "apiVersion: autoscaling/VERSION\nkind: HorizontalPodAutoscaler\nmetadata: {name: h}\nspec: {maxReplicas: MAX, scaleTargetRef: {kind: Deployment, name: web, apiVersion: apps/v1}}\n"
	r.push(map[string]string{"1.yaml": strings.NewReplacer("VERSION", "v1", "MAX", "3").Replace(scaler), "2.yaml": strings.NewReplacer("VERSION", "v2", "MAX", "5").Replace(scaler)})
	r.mustSync()
	r.wantWrites("apply HorizontalPodAutoscaler/h")
	if !strings.Contains(r.notes(), "apps/shop/2.yaml") {
		t.Errorf("the notes are %q", r.notes())
	}
	r.push(map[string]string{"1.yaml": strings.NewReplacer("VERSION", "v1", "MAX", "5").Replace(scaler)})
	r.mustSync()
	r.wantWrites("apply HorizontalPodAutoscaler/h") // never a delete: it is the same object
}
