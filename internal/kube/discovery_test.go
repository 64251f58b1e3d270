package kube

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
)

var someEntries = []metav1.ManagedFieldsEntry{{Manager: "slipway", Operation: metav1.ManagedFieldsOperationApply}}

func TestVersionsLoseTheirVendorsSuffix(t *testing.T) {
	for in, want := range map[string]string{
		"v1.36.3": "v1.36.3", "v1.33.4-eks-1a2b3c": "v1.33.4", "v1.31.0+k3s1": "v1.31.0", "v1.30.1-gke.100+x": "v1.30.1",
		"1.30": "v1.30.0", "": "", "v1": "", "latest": "", "v123456789.1": "",
	} {
		if got := normal(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestTheTargetListsGroupVersionsAndKinds(t *testing.T) {
	c, _ := fake(t, echo, token)
	got, err := c.Target(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.KubeVersion != "v1.33.4" {
		t.Errorf("version is %q", got.KubeVersion)
	}
	want := []string{
		"apps/v1", "apps/v1/Deployment", "apps/v1beta1", "apps/v1beta1/Deployment", "custom.metrics.k8s.io/v1",
		"v1", "v1/ComponentStatus", "v1/ConfigMap", "v1/Event", "v1/Namespace", "v1/Secret",
	}
	if d := cmp.Diff(want, got.APIVersions); d != "" {
		t.Error(d)
	}
	got.APIVersions[0] = "changed"
	if again, err := c.Target(t.Context()); err != nil || again.APIVersions[0] != "apps/v1" {
		t.Error("the caller changed what is known", err)
	}
}

func TestDiscoveryIsAskedOnceByManyAndAgainOnlyForMisses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := timed(echo)
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if ok, err := c.Namespaced(t.Context(), schema.GroupKind{Group: "apps", Kind: "Deployment"}, "v1"); err != nil || !ok {
					t.Error(ok, err)
				}
			})
		}
		wait.Wait()
		if got := s.documents.Load(); got != 2 {
			t.Fatalf("%d documents for 20 callers, want 2", got)
		}
		miss := schema.GroupKind{Group: "new.example", Kind: "New"}
		for range 5 {
			if _, err := c.Namespaced(t.Context(), miss, ""); !unknown(err) || !fault.Is(err, fault.NotFound) {
				t.Fatal(err)
			}
		}
		groups := strings.Replace(discoveryGroups, `{"metadata":{"name":"apps"}`,
			`{"metadata":{"name":"new.example"},"versions":[{"version":"v1","resources":[{"resource":"news","responseKind":{"kind":"New"},"scope":"Namespaced","verbs":["list"]}]}]},{"metadata":{"name":"apps"}`, 1)
		s.groups.Store(&groups)
		if _, err := c.Namespaced(t.Context(), miss, ""); !unknown(err) {
			t.Fatal("asked again at once: ", err)
		}
		time.Sleep(ageOfMiss)
		if ok, err := c.Namespaced(t.Context(), miss, ""); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if got := s.documents.Load(); got != 3 { // of the core group it hears that nothing changed
			t.Errorf("%d documents, want 3", got)
		}
		_, err := c.Namespaced(t.Context(), miss, "v2")
		says(t, err, "does not serve New.new.example in version v2, only in v1")
	})
}

func TestAGroupWhoseServerIsDeadIsUnavailableAndNotUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := timed(func(w http.ResponseWriter, _ *http.Request) { page(w, "", "a") })
		gk := schema.GroupKind{Group: "custom.metrics.k8s.io", Kind: "MetricValue"}
		_, err := c.Namespaced(t.Context(), gk, "")
		if !fault.Is(err, fault.Unavailable) || unknown(err) {
			t.Error(err)
		}
		if _, err := c.List(t.Context(), "x", []schema.GroupKind{gk}); !fault.Is(err, fault.Unavailable) {
			t.Error("a kind that cannot be seen looks empty:", err)
		}
		items, err := c.List(t.Context(), "x", nil)
		if err != nil {
			t.Fatal("one dead server stops everything:", err)
		}
		var kinds []string
		for _, m := range items {
			kinds = append(kinds, m.APIVersion+"/"+m.Kind)
		}
		slices.Sort(kinds)
		if d := cmp.Diff([]string{"apps/v1/Deployment", "v1/ConfigMap", "v1/Namespace", "v1/Secret"}, kinds); d != "" {
			t.Error(d)
		}
	})
}

func TestAServerWithoutAggregatedDiscoveryIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := timed(echo)
		old := `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`
		s.groups.Store(&old)
		_, err := c.Target(t.Context())
		if !fault.Is(err, fault.Invalid) {
			t.Error(fault.Of(err))
		}
		says(t, err, "cluster timed", "APIGroupList", "1.30 or later")
	})
}

func TestAPathThatIsNoLongerServedMakesTheNextLookUpAskAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := timed(func(w http.ResponseWriter, _ *http.Request) {
			status(w, 404, "NotFound", "the server could not find the requested resource")
		})
		id := aConfigMap
		id.Group, id.Kind = "apps", "Deployment"
		if _, err := c.Get(t.Context(), id); !fault.Is(err, fault.NotFound) {
			t.Fatal(err)
		}
		none := `{"kind":"APIGroupDiscoveryList","items":[]}`
		s.groups.Store(&none)
		if _, err := c.Get(t.Context(), id); !unknown(err) {
			t.Fatal(err)
		}
	})
}

func TestWaitingForDiscoveryEndsWithTheCaller(t *testing.T) {
	c, _ := timed(echo)
	c.turn <- struct{}{} // somebody asks
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Target(ctx); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
}
