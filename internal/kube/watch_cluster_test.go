//go:build cluster

package kube

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

func TestAWatchSeesWhatHappensToOurObjectsAndGoesOnWhereItEnded(t *testing.T) {
	c, ns := connect(t), namespace(t)
	live := mustApply(t, c, fresh(stamped(t, ns, "a", map[string]string{"k": "1"})))
	mustApply(t, c, fresh(stamped(t, ns, "b", nil)))
	_, result := sweepOf(t, c, ns, []schema.GroupKind{configMapKind})
	since := result.Whole[configMapKind]
	for k, v := range map[string]any{"k": "2", "l": "3"} {
		other(t, c, http.MethodPatch, configMaps(ns)+"/a", mergePatch, nil, map[string]any{"data": map[string]any{k: v}})
	}
	other(t, c, http.MethodPatch, configMaps(ns)+"/b", mergePatch, nil, map[string]any{"metadata": map[string]any{"labels": nil}}) // unseen from then on
	mustApply(t, c, fresh(stamped(t, ns, "c", nil)))
	want := []string{"MODIFIED a", "MODIFIED a", "DELETED b", "ADDED c"}
	var got []string
	last := since
	for round := 0; len(got) < len(want) && round < 10; round++ { // each watch takes one event, the next goes on
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		var err error
		last, err = c.Watch(ctx, configMapKind, last, func(e manifest.Event) error {
			if e.Object.Namespace == ns {
				got = append(got, string(e.Type)+" "+e.Object.Name)
				if e.Object.Name == "a" && (e.Object.UID != live.GetUID() || len(e.Object.ManagedFields) == 0 || e.Object.Kind != "ConfigMap") {
					t.Errorf("the object is %v", e.Object)
				}
				cancel()
			}
			return nil
		})
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
	// Events that came in one packet may all be handed over before the end is noticed; none may come twice.
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The server promises no bookmark, so that a busy one may leave it out; the next watch then has another chance.
func TestAQuietWatchIsMovedOnByBookmarks(t *testing.T) {
	c, ns := connect(t), namespace(t)
	_, result := sweepOf(t, c, ns, []schema.GroupKind{configMapKind})
	other(t, c, http.MethodPost, configMaps(ns), "application/json", nil, configMap(t, ns, "unlabelled", nil).Object) // moves the cluster on, unseen
	since := result.Whole[configMapKind]
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
		marked := false
		last, err := c.Watch(ctx, configMapKind, since, func(e manifest.Event) error {
			marked = marked || e.Type == manifest.Bookmark && e.Object.ResourceVersion != since
			return nil
		})
		if err != nil || ctx.Err() != nil {
			t.Errorf("it did not end by itself: %v, %v", err, ctx.Err())
		}
		cancel()
		if marked && last != since {
			return
		}
		since = last
	}
	t.Error("five watches saw no bookmark")
}

const sidecarPod = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
`

// H1: what others add is removed without a trace of ours, so that the next sweep finds the object as our apply left it.
func TestAPatchRemovesASidecarAndLeavesOwnershipAsItWas(t *testing.T) {
	c, ns := connect(t), namespace(t)
	live := mustApply(t, c, fresh(object(t, ns, sidecarPod)))
	path := "/apis/apps/v1/namespaces/" + ns + "/deployments/web"
	edited := other(t, c, http.MethodPatch, path, string(types.StrategicMergePatchType), map[string]string{"fieldManager": "kubectl-edit"}, map[string]any{
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"hostNetwork": true, "containers": []any{map[string]any{"name": "side", "image": "side:1"}},
		}}},
	})
	containers, _, _ := unstructured.NestedSlice(edited.Object, "spec", "template", "spec", "containers")
	side := slices.IndexFunc(containers, func(c any) bool { m, ok := c.(map[string]any); return ok && m["name"] == "side" })
	if len(containers) != 2 || side < 0 {
		t.Fatalf("containers are %v", containers)
	}
	ops := []byte(`[{"op":"remove","path":"/spec/template/spec/hostNetwork"},{"op":"remove","path":"/spec/template/spec/containers/` + string(rune('0'+side)) + `"}]`)
	id := manifest.IDOf(live)
	var after *unstructured.Unstructured
	until(t, "patch "+id.String(), func() bool { // the controller writes too
		now, err := c.Get(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		after, err = c.Patch(t.Context(), id, now.GetUID(), now.GetResourceVersion(), ops)
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
		return err == nil
	})
	containers, _, _ = unstructured.NestedSlice(after.Object, "spec", "template", "spec", "containers")
	_, host, _ := unstructured.NestedBool(after.Object, "spec", "template", "spec", "hostNetwork")
	if len(containers) != 1 || host {
		t.Errorf("containers are %v, hostNetwork %v", containers, host)
	}
	m, err := c.Metadata(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range m.ManagedFields {
		if e.Subresource == "status" {
			continue
		}
		if e.Manager != manifest.Manager || e.Operation != metav1.ManagedFieldsOperationApply {
			t.Errorf("an entry of %s, %s is left: %s", e.Manager, e.Operation, e.FieldsV1.GetRawString())
		}
	}
	if _, err := c.Patch(t.Context(), id, live.GetUID(), live.GetResourceVersion(), ops); !fault.Is(err, fault.Conflict) {
		t.Errorf("a patch of an old state, whose paths are gone: %v", err)
	}
	if _, err := c.Patch(t.Context(), id, m.UID, m.ResourceVersion, []byte(`[{"op":"remove","path":"/spec/nothing"}]`)); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Conflict) {
		t.Errorf("a patch of what is not there: %v", err)
	}
}

func TestCustomKindsAreSweptAndWatchedInProtobuf(t *testing.T) {
	c, ns := connect(t), namespace(t)
	group := strings.ReplaceAll(ns, "-", "") + ".example.com"
	mustApply(t, c, fresh(object(t, "", `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.`+group+`}
spec:
  group: `+group+`
  scope: Namespaced
  names: {plural: toys, singular: toy, kind: Toy}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`)))
	if err := c.Established(t.Context(), "toys."+group); err != nil {
		t.Fatal(err)
	}
	kind := schema.GroupKind{Group: group, Kind: "Toy"}
	toy := object(t, ns, "{apiVersion: "+group+"/v1, kind: Toy, metadata: {name: a}, spec: {size: 1}}")
	manifest.Stamp(toy, "argocd/toys", manifest.DigestOf(toy), 0)
	mustApply(t, c, fresh(toy))
	found, result := sweepOf(t, c, ns, []schema.GroupKind{kind})
	if m := found["Toy a"]; m.APIVersion != group+"/v1" || !ownership.Owns(&m) {
		t.Fatalf("found %v", found)
	}
	other(t, c, http.MethodPatch, "/apis/"+group+"/v1/namespaces/"+ns+"/toys/a", mergePatch, nil, map[string]any{"spec": map[string]any{"size": 2}})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []string
	if _, err := c.Watch(ctx, kind, result.Whole[kind], func(e manifest.Event) error {
		got = append(got, string(e.Type)+" "+e.Object.Name)
		cancel()
		return nil
	}); err != nil || !slices.Equal(got, []string{"MODIFIED a"}) {
		t.Error(got, err)
	}
	old, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	if _, err := c.Watch(old, kind, "1", func(manifest.Event) error { return nil }); !fault.Is(err, fault.Conflict) {
		t.Errorf("a watch from before the kind's time: %v", err)
	}
	r, err := c.do(t.Context(), request{method: http.MethodGet, path: "/apis/" + group + "/v1/toys", accept: acceptMetadataList})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if content := r.Header.Get("Content-Type"); !strings.HasPrefix(content, "application/vnd.kubernetes.protobuf") {
		t.Errorf("a custom kind's metadata comes as %s", content)
	}
}
