//go:build cluster

package e2e

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/test/e2e/up"
)

// crd defines the kind Crate of a group.
func crd(group string) string {
	return fmt.Sprintf(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: crates.%[1]s
spec:
  group: %[1]s
  names: {kind: Crate, plural: crates, singular: crate}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size: {type: integer}
`, group)
}

// exists waits until a cluster-scoped object is there.
func (w *world) exists(r schema.GroupVersionResource, name string) *unstructured.Unstructured {
	w.t.Helper()
	return up.Until(w.t, up.Seen, name+" is there", func() (*unstructured.Unstructured, bool, string) {
		u, err := w.kube.Resource(r).Get(w.t.Context(), name, metav1.GetOptions{})
		return u, err == nil, fmt.Sprint(err)
	})
}

func TestACRDAndItsResourceInOneCommitAreAppliedEvenIfTheProcessIsKilledBetween(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprint("killed ", killed), func(t *testing.T) {
			t.Parallel()
			w := given(t)
			group := "g" + w.ns[strings.LastIndex(w.ns, "-")+1:] + ".example.com"
			w.declare("crates")
			w.Write(map[string]string{
				"crates/crate.yaml": fmt.Sprintf("apiVersion: %s/v1\nkind: Crate\nmetadata:\n  name: one\nspec:\n  size: 3\n", group),
				"crates/def.yaml":   crd(group),
			})
			sha := w.Push("A CRD and its resource")
			if killed {
				w.exists(customResources, "crates."+group)
				w.Kill()
				w.Again()
			}
			w.applied(sha, "crates")
			crates := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "crates"}
			if size, _, _ := unstructured.NestedInt64(w.get(crates, "one").Object, "spec", "size"); size != 3 {
				t.Errorf("size %d", size)
			}
			w.Edit("crates/crate.yaml", "size: 3", "size: 4")
			w.applied(w.Push("A larger one"), "crates")
			if size, _, _ := unstructured.NestedInt64(w.get(crates, "one").Object, "spec", "size"); size != 4 {
				t.Errorf("size %d after the second push", size)
			}
		})
	}
}

func TestANamespaceIsCreatedWhereAskedForEvenIfTheProcessIsKilledAfterIt(t *testing.T) {
	t.Parallel()
	w := given(t)
	fresh := w.short("made")
	w.declare("web", "namespace: "+w.ns, "namespace: "+fresh, "    automated:", "    syncOptions: [CreateNamespace=true]\n    automated:")
	w.Write(map[string]string{"web/settings.yaml": configMap("settings", "a", "b") + "---\n" + secret("key", "a", "b")})
	sha := w.Push("Into a namespace that is not there")
	ns := w.exists(namespaces, fresh)
	w.Kill()
	w.Again()
	w.applied(sha, "web")
	if got := w.labelled(w.app("web")); strings.Join(got, ",") != "ConfigMap settings,Secret key" {
		t.Errorf("ours is %v", got)
	}
	// It is nobody's: neither labelled nor pruned when the last object goes elsewhere.
	w.declare("web")
	sha = w.Push("Into the other namespace")
	// The push moves the branch first, with the old declaration, and then the declaration.
	w.Awaits(w.app("web"), up.Seen, "declared anew", func(a known) bool { return a.Registered.Application.Destination.Namespace == w.ns })
	up.Until(t, up.Seen, "gone from the first namespace", func() (struct{}, bool, string) {
		_, err := w.kube.Resource(configMaps).Namespace(fresh).Get(t.Context(), "settings", metav1.GetOptions{})
		return struct{}{}, apierrors.IsNotFound(err), fmt.Sprint(err)
	})
	w.applied(sha, "web")
	if w.data("settings")["a"] != "b" {
		t.Errorf("in the second namespace: %v", w.data("settings"))
	}
	after := w.exists(namespaces, fresh)
	if after.GetUID() != ns.GetUID() || after.GetDeletionTimestamp() != nil {
		t.Error("the namespace was deleted")
	}
	if err := w.kube.Resource(namespaces).Delete(t.Context(), fresh, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// An object is one application's. Another that has it too is refused, by the first one's name, and gets it when the
// first has let it go, without a person's help.
func TestAnObjectMovesToAnotherApplicationOnceTheFirstHasLetItGo(t *testing.T) {
	t.Parallel()
	w := given(t)
	w.declare("first")
	w.declare("second")
	w.Write(map[string]string{
		"first/own.yaml": configMap("first", "a", "b"), "first/shared.yaml": configMap("shared", "of", "first"),
		"second/own.yaml": configMap("second", "a", "b"),
	})
	w.applied(w.Push("Two applications"), "first", "second")
	uid := w.get(configMaps, "shared").GetUID()

	w.Write(map[string]string{"second/shared.yaml": configMap("shared", "of", "second")})
	sha := w.Push("The second wants it too")
	a := w.Awaits(w.app("second"), up.Seen, "refused", func(a known) bool {
		return up.Wants(a, sha) && a.Last.Seq == a.Record.Wanted.Seq && a.Last.Reason != ""
	})
	for _, want := range []string{"second/shared.yaml", "shared", string(w.app("first"))} {
		if !strings.Contains(a.Last.Reason, want) {
			t.Errorf("the refusal does not say %q: %s", want, a.Last.Reason)
		}
	}
	if got := w.get(configMaps, "shared"); got.GetUID() != uid || w.data("shared")["of"] != "first" {
		t.Errorf("the second has written what is the first's: %v", w.data("shared"))
	}
	w.Applied(w.app("first"), sha)

	w.Remove("first/shared.yaml")
	sha = w.Push("The first lets it go")
	w.applied(sha, "first", "second")
	if got := w.data("shared")["of"]; got != "second" {
		t.Errorf("it is of %s", got)
	}
}
