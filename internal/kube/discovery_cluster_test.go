//go:build cluster

package kube

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

func TestTheTargetIsWhatChartsAskFor(t *testing.T) {
	target, err := connect(t).Target(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^v1\.\d+\.\d+$`).MatchString(target.KubeVersion) {
		t.Errorf("version is %q", target.KubeVersion)
	}
	for _, want := range []string{"v1", "v1/ConfigMap", "apps/v1", "apps/v1/Deployment", "batch/v1/CronJob", "apiextensions.k8s.io/v1/CustomResourceDefinition"} {
		if !slices.Contains(target.APIVersions, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if !slices.IsSorted(target.APIVersions) {
		t.Error("the API versions are not sorted")
	}
}

func TestNamespacedKnowsTheScope(t *testing.T) {
	c := connect(t)
	for gk, want := range map[schema.GroupKind]bool{
		{Kind: "ConfigMap"}:                                       true,
		{Kind: "Namespace"}:                                       false,
		{Group: "apps", Kind: "Deployment"}:                       true,
		{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}: false,
	} {
		got, err := c.Namespaced(t.Context(), gk, "")
		if err != nil || got != want {
			t.Errorf("%s: %v %v, want %v", gk, got, err, want)
		}
	}
	_, err := c.Namespaced(t.Context(), schema.GroupKind{Group: "apps", Kind: "Nope"}, "v1")
	mustBe(t, err, fault.NotFound)
}

// definitionOf is a CRD of its own for each test, since CRDs have no namespace.
func definitionOf(*testing.T) (text, crd string, gk schema.GroupKind) {
	group := fmt.Sprintf("t%d.example.com", time.Now().UnixNano())
	text = strings.ReplaceAll(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
`, "GROUP", group)
	return text, "widgets." + group, schema.GroupKind{Group: group, Kind: "Widget"}
}

func TestACustomResourceFollowsItsDefinitionAtOnce(t *testing.T) {
	c, ns := connect(t), namespace(t)
	text, crd, gk := definitionOf(t)
	if _, err := c.Namespaced(t.Context(), gk, ""); !unknown(err) {
		t.Fatalf("known before: %v", err)
	}
	made := mustApply(t, c, fresh(object(t, "", text)))
	t.Cleanup(func() {
		other(t, connect(t), "DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"+crd, "application/json", nil, nil)
	})
	if err := c.Established(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	if namespaced, err := c.Namespaced(t.Context(), gk, "v1"); err != nil || !namespaced {
		t.Fatalf("namespaced %v, %v", namespaced, err)
	}
	widget := object(t, ns, "{apiVersion: "+gk.Group+"/v1, kind: Widget, metadata: {name: a, labels: {"+manifest.Label+": w}}, spec: {size: 1}}")
	live := mustApply(t, c, fresh(widget))
	found, err := c.List(t.Context(), "w", []schema.GroupKind{gk})
	if err != nil || len(found) != 1 || found[0].UID != live.GetUID() || found[0].Kind != "Widget" || found[0].APIVersion != gk.Group+"/v1" {
		t.Fatalf("listed %v, %v", found, err)
	}
	bad := widget.DeepCopy()
	bad.Object["spec"] = map[string]any{"siez": int64(1)}
	_, _, err = c.Apply(t.Context(), bad, false)
	mustBe(t, err, fault.Invalid)

	t.Run("a new connection finds it by discovery", func(t *testing.T) {
		c := connect(t)
		until(t, "discovery of "+crd, func() bool {
			c.expire()
			_, err := c.Namespaced(t.Context(), gk, "v1")
			return err == nil
		})
		if got, err := c.Get(t.Context(), manifest.IDOf(widget)); err != nil || got.GetUID() != live.GetUID() {
			t.Fatal(got, err)
		}
	})
	t.Run("when the definition goes, its kind is left out and then unknown", func(t *testing.T) {
		if err := c.Delete(t.Context(), manifest.IDOf(made), made.GetUID(), mustGet(t, c, manifest.IDOf(made))); err != nil {
			t.Fatal(err)
		}
		until(t, "CRD gone", func() bool { return absent(t, c, manifest.IDOf(made)) })
		until(t, "kind unlisted", func() bool {
			found, err := c.List(t.Context(), "w", []schema.GroupKind{gk})
			if err != nil {
				t.Fatal(err)
			}
			return len(found) == 0
		})
		mustApply(t, c, fresh(object(t, "", text))) // for the clean-up
	})
}

func mustGet(t *testing.T, c *Cluster, id manifest.ID) string {
	t.Helper()
	m, err := c.Metadata(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return m.ResourceVersion
}

func TestADefinitionWithTakenNamesIsInvalid(t *testing.T) {
	c := connect(t)
	text, crd, gk := definitionOf(t)
	mustApply(t, c, fresh(object(t, "", text)))
	if err := c.Established(t.Context(), crd); err != nil {
		t.Fatal(err)
	}
	// Another plural of the same group and kind.
	twin := strings.Replace(strings.Replace(text, "name: widgets."+gk.Group, "name: gadgets."+gk.Group, 1), "plural: widgets", "plural: gadgets", 1)
	mustApply(t, c, fresh(object(t, "", twin)))
	err := c.Established(t.Context(), "gadgets."+gk.Group)
	mustBe(t, err, fault.Invalid)
	if !strings.Contains(err.Error(), "is already in use") {
		t.Error(err)
	}
	mustBe(t, c.Established(t.Context(), "nothing."+gk.Group), fault.NotFound)
	for _, name := range []string{crd, "gadgets." + gk.Group} {
		other(t, c, "DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"+name, "application/json", nil, nil)
	}
}

func TestListFindsOursOfEveryKindAndNothingElse(t *testing.T) {
	c, ns := connect(t), namespace(t)
	label := "mine-" + ns
	if len(label) > 63 {
		label = label[:60] + "z"
	}
	var want []string
	for _, text := range []string{
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {k: dg==}}",
		"{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}",
		deployment,
	} {
		u := object(t, ns, text)
		u.SetLabels(map[string]string{manifest.Label: label})
		live := mustApply(t, c, fresh(u))
		want = append(want, u.GetAPIVersion()+" "+manifest.IDOf(u).String()+" "+string(live.GetUID()))
	}
	role := object(t, "", "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: 'system:x:"+ns+"', labels: {"+manifest.Label+": "+label+"}}, rules: []}")
	live := mustApply(t, c, fresh(role))
	t.Cleanup(func() {
		other(t, connect(t), "DELETE", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:x:"+ns, "application/json", nil, nil)
	})
	want = append(want, "rbac.authorization.k8s.io/v1 "+manifest.IDOf(role).String()+" "+string(live.GetUID()))
	foreign := configMap(t, ns, "foreign", nil)
	foreign.SetLabels(map[string]string{manifest.Label: "somebody-else"})
	mustApply(t, c, fresh(foreign))
	mustApply(t, c, fresh(configMap(t, ns, "bare", nil)))

	list := func(kinds []schema.GroupKind) []string {
		t.Helper()
		items, err := c.List(t.Context(), label, kinds)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range items {
			id := manifest.ID{Group: m.GroupVersionKind().Group, Kind: m.Kind, Namespace: m.Namespace, Name: m.Name}
			if m.OwnerReferences == nil { // controllers copy the label: EndpointSlices
				got = append(got, m.APIVersion+" "+id.String()+" "+string(m.UID))
			}
			if len(m.ManagedFields) == 0 || m.ResourceVersion == "" {
				t.Errorf("%s has no managed fields or resourceVersion", id)
			}
		}
		slices.Sort(got)
		return slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "Endpoints ") })
	}
	slices.Sort(want)
	if got := list(nil); !slices.Equal(got, want) {
		t.Errorf("of every kind: %q, want %q", got, want)
	}
	one := []schema.GroupKind{{Kind: "Service"}, {Group: "gone.example", Kind: "Gone"}}
	if got := list(one); len(got) != 1 || !strings.Contains(got[0], "Service "+ns+"/a") {
		t.Errorf("of one kind: %q", got)
	}
	if got := list([]schema.GroupKind{}); len(got) != 0 {
		t.Errorf("of no kinds: %q", got)
	}
}

func TestGettingWhatIsNotThere(t *testing.T) {
	c, ns := connect(t), namespace(t)
	id := manifest.ID{Kind: "ConfigMap", Namespace: ns, Name: "absent"}
	_, err := c.Get(t.Context(), id)
	mustBe(t, err, fault.NotFound)
	_, err = c.Metadata(t.Context(), id)
	mustBe(t, err, fault.NotFound)
	var none *NoKind
	if errors.As(err, &none) {
		t.Error("the kind is there")
	}
}
