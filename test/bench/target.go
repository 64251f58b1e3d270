package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"slipway/test/cluster"
)

// targetApplications are those whose objects are edited: few enough that some have several objects edited.
const targetApplications = 100

// target is an object that is edited once.
type target struct {
	resource    schema.GroupVersionResource
	space, name string
	edit        edit
}

// edit is what somebody does to an object by hand, with the requests of the kubectl command of that name.
type edit struct {
	verb        string // kubectl's
	patch       string // none: it is deleted
	form        types.PatchType
	subresource []string
	path        []string // of the field, and
	value       string   // what is there when it is healed
}

// editsOf are the edits that a kind's objects get; of another kind it is a label's.
var (
	background = metav1.DeletePropagationBackground // as kubectl delete

	deleted = edit{verb: "delete"}
	labeled = edit{
		verb: "label", patch: `{"metadata":{"labels":{"helm.sh/chart":"web-9.9.9"}}}`, form: types.MergePatchType,
		path: []string{"metadata", "labels", "helm.sh/chart"}, value: "web-3.1.0",
	}
	editsOf = map[string][]edit{
		"Deployment": {
			{
				verb: "scale", patch: `{"spec":{"replicas":2}}`, form: types.MergePatchType, subresource: []string{"scale"},
				path: []string{"spec", "replicas"}, value: "0",
			},
			{
				verb: "set", patch: `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"registry.example.com/web:hotfix"}]}}}}`,
				form: types.StrategicMergePatchType, path: []string{"spec", "template", "spec", "containers", "image"}, value: "registry.example.com/web:1.4.2",
			},
			{
				verb: "edit", patch: `{"spec":{"revisionHistoryLimit":7}}`, form: types.StrategicMergePatchType,
				path: []string{"spec", "revisionHistoryLimit"}, value: "3",
			},
			deleted,
		},
		"Service": {
			{
				verb: "edit", patch: `{"spec":{"selector":{"app":"other"}}}`, form: types.StrategicMergePatchType,
				path: []string{"spec", "selector", "app"}, // its value is the object's name
			},
			deleted,
		},
		"ConfigMap": {
			{
				verb: "edit", patch: `{"data":{"LOG_LEVEL":"debug"}}`, form: types.StrategicMergePatchType,
				path: []string{"data", "LOG_LEVEL"}, value: "info",
			},
			deleted,
		},
	}
)

// draw picks n different objects, and what is done to each. The same seed draws the same.
func draw(n int) ([]*target, error) {
	dice := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // can be repeated
	var all []*unstructured.Unstructured
	for i := range targetApplications {
		objects, err := cluster.CrowdSet(i)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if n > len(all) {
		return nil, fmt.Errorf("draw %d objects of %d", n, len(all))
	}
	var out []*target
	for _, u := range all[:n] {
		edits, ok := editsOf[u.GetKind()]
		if !ok {
			edits = []edit{labeled, deleted}
		}
		t := &target{resource: crowdKinds[u.GroupVersionKind().GroupKind()], space: u.GetNamespace(), name: u.GetName(), edit: edits[dice.IntN(len(edits))]}
		if t.edit.value == "" {
			t.edit.value = t.name
		}
		out = append(out, t)
	}
	return out, nil
}

// evenly is targets in an order in which each part of it has as much of each verb as any other: what heals of one part cost
// the API server can be compared with those of another. Not of each kind too: what there is few of would be in the middle.
func evenly(targets []*target) []*target {
	size, at, rank := map[string]int{}, map[*target]float64{}, map[string]int{}
	for _, t := range targets {
		size[t.edit.verb]++
	}
	for _, t := range targets {
		at[t] = (float64(rank[t.edit.verb]) + 0.5) / float64(size[t.edit.verb])
		rank[t.edit.verb]++
	}
	return slices.SortedStableFunc(slices.Values(targets), func(a, b *target) int { return cmp.Compare(at[a], at[b]) })
}

// do edits the object. What it returns is the object's uid and resourceVersion, after the edit if it has not gone.
func (t *target) do(ctx context.Context, client dynamic.Interface) (uid types.UID, version string, err error) {
	objects := client.Resource(t.resource).Namespace(t.space)
	if t.edit.patch == "" {
		u, err := objects.Get(ctx, t.name, metav1.GetOptions{})
		if err != nil {
			return "", "", err
		}
		return u.GetUID(), u.GetResourceVersion(), objects.Delete(ctx, t.name, metav1.DeleteOptions{PropagationPolicy: &background})
	}
	u, err := objects.Patch(ctx, t.name, t.edit.form, []byte(t.edit.patch), metav1.PatchOptions{FieldManager: "kubectl-" + t.edit.verb}, t.edit.subresource...)
	if err != nil {
		return "", "", err
	}
	return u.GetUID(), u.GetResourceVersion(), nil
}

// right reports whether an object is as git has it, where it was edited.
func (t *target) right(u *unstructured.Unstructured) bool {
	return u.GetDeletionTimestamp() == nil && (t.edit.patch == "" || textAt(u.Object, t.edit.path) == t.edit.value)
}

// textAt is the value at a path, where a list stands for its first item.
func textAt(v any, path []string) string {
	for _, step := range path {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[step]
	}
	return fmt.Sprint(v)
}

// verbs counts what is done, for people.
func verbs(all []*target) string {
	n := map[string]int{}
	for _, t := range all {
		n[t.edit.verb]++
	}
	return counts(n)
}

// counts is "7 delete, 3 edit", the most first.
func counts(n map[string]int) string {
	names := slices.SortedFunc(maps.Keys(n), func(a, b string) int { return cmp.Or(n[b]-n[a], strings.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", n[name], name)
	}
	return strings.Join(names, ", ")
}
