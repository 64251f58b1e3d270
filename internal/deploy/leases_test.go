package deploy

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/ignore"
	"slipway/internal/manifest"
	"slipway/test/server"
)

// rolling is a cluster that has Rollouts, and counts how often it is asked for them.
type rolling struct {
	*server.Server
	by    map[string][]*unstructured.Unstructured // by namespace
	asked []string
	err   error
}

func (r *rolling) RolloutsIn(_ context.Context, namespace string) ([]*unstructured.Unstructured, error) {
	r.asked = append(r.asked, namespace) // one at a time, as leases promises: the race detector tells
	return r.by[namespace], r.err
}

func aRollout(name, stable string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": map[string]any{"name": name, "namespace": "production"},
		"spec": map[string]any{"strategy": map[string]any{"canary": map[string]any{"stableService": stable}}},
	}}
}

func service(name, port string) string {
	return "---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: {selector: {app: web}, ports: [{port: " + port + "}]}\n"
}

func serviceID(name string) manifest.ID {
	return manifest.ID{Kind: "Service", Namespace: "production", Name: name}
}

func newRolling(t *testing.T) (*world, *rolling) {
	w := newWorld(t)
	r := &rolling{Server: w.server, by: map[string][]*unstructured.Unstructured{}}
	w.cluster = r
	return w, r
}

func (r *rolling) selects(name, hash string) {
	r.Edit(serviceID(name), "slipway-rollout", func(o map[string]any) {
		_ = unstructured.SetNestedField(o, hash, "spec", "selector", "rollouts-pod-template-hash")
	})
}

func (r *rolling) selected(t *testing.T, name string) map[string]string {
	t.Helper()
	u, err := r.Get(t.Context(), serviceID(name))
	if err != nil {
		t.Fatal(err)
	}
	m, _, _ := unstructured.NestedStringMap(u.Object, "spec", "selector")
	return m
}

func TestRolloutsAreAskedForOnceANamespaceAndOnlyWhereSomebodyHasWritten(t *testing.T) {
	w, r := newRolling(t)
	w.push(map[string]string{"a.yaml": service("a", "80") + service("b", "80") + service("c", "80")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": service("a", "81") + service("b", "81") + service("c", "81")})
	w.mustSync()
	if len(r.asked) > 0 {
		t.Errorf("asked for %q, and nobody else has written", r.asked)
	}
	r.by["production"] = []*unstructured.Unstructured{aRollout("web", "a")}
	r.selects("a", "abc")
	r.selects("b", "abc")
	w.push(map[string]string{"a.yaml": service("a", "82") + service("b", "82") + service("c", "82")})
	w.mustSync()
	if !slices.Equal(r.asked, []string{"production"}) {
		t.Errorf("asked for %q", r.asked)
	}
	for name, want := range map[string]map[string]string{"a": {"app": "web", "rollouts-pod-template-hash": "abc"}, "b": {"app": "web"}} {
		if d := cmp.Diff(want, r.selected(t, name)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// Whether a Service may be taken from a canary is not guessed.
func TestASyncThatCannotTellAboutRolloutsWritesNothing(t *testing.T) {
	w, r := newRolling(t)
	w.push(map[string]string{"a.yaml": service("a", "80")})
	w.mustSync()
	r.selects("a", "abc")
	r.err = fault.New(fault.Unavailable, "list Rollout.argoproj.io: away")
	w.push(map[string]string{"a.yaml": service("a", "81")})
	if err := w.sync(); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "away") {
		t.Error(err)
	}
	if r.selected(t, "a")["rollouts-pod-template-hash"] != "abc" {
		t.Error("written")
	}
}

// A Rollout of the set may come with this very run, and one of the cluster may have left git: both hold.
func TestRolloutsOfTheSetHoldTooBeforeTheClusterHasThem(t *testing.T) {
	_, r := newRolling(t)
	r.by["production"] = []*unstructured.Unstructured{aRollout("gone", "a")}
	ours := aRollout("new", "b")
	l := newLeases(r, []item{{Object: manifest.Object{Unstructured: ours}, id: manifest.IDOf(ours)}})
	for _, name := range []string{"a", "b", "c"} {
		said := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": name, "namespace": "production"}, "spec": map[string]any{"selector": map[string]any{"app": "new"}}}}
		live := said.DeepCopy()
		live.Object["spec"] = map[string]any{"selector": map[string]any{"app": "old", "rollouts-pod-template-hash": "abc"}}
		f := ignore.Of(said, live)
		differs, err := l.leave(t.Context(), f, serviceID(name), said, live)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{"app": "new"}
		if name != "c" {
			want["rollouts-pod-template-hash"] = "abc"
		}
		got, _, _ := unstructured.NestedMap(f.Merge().Object, "spec", "selector")
		if d := cmp.Diff(want, got); d != "" || differs != (name != "c") {
			t.Errorf("%s: differs %v, %s", name, differs, d)
		}
	}
}
