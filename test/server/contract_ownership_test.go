package server

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
)

const label = ` .metadata.labels["slipway.dev/application"]`

// What drift rests on (design.md 3): whoever changes or removes a field of ours takes it out of our entry, and nobody else.
var ownershipClauses = []clause{
	{"a field that is left out goes, unless somebody else owns it too", func(s *scene) {
		u := s.configMap("a", "k: v, j: v, i: v")
		s.apply(u)
		s.edit(u, "person", set("w", "data", "j"))
		s.show(s.live(u))
		s.apply(s.configMap("a", "i: v"))
		s.show(s.live(u))
	}, []string{
		"a map[i:v j:w k:v]", `  person Update .data.j`, `  slipway Apply .data.i .data.k` + label,
		"a map[i:v j:w]", `  person Update .data.j`, `  slipway Apply .data.i` + label,
	}},
	{"an apply takes by force what others have changed, and leaves what they have added", func(s *scene) {
		u := s.configMap("a", "k: v")
		s.apply(u)
		s.edit(u, "person", set("w", "data", "k"))
		s.edit(u, "other", set("x", "data", "extra"))
		s.show(s.live(u))
		s.apply(u)
		s.show(s.live(u))
	}, []string{
		"a map[extra:x k:w]", `  other Update .data.extra`, `  person Update .data.k`, "  slipway Apply" + label,
		"a map[extra:x k:v]", `  other Update .data.extra`, `  slipway Apply .data.k` + label,
	}},
	{"what somebody removes leaves our entry, and comes back by an apply", func(s *scene) {
		u := s.configMap("a", "k: v, j: v")
		s.apply(u)
		s.edit(u, "person", set(nil, "data", "k"))
		s.edit(u, "person", set(nil, "metadata", "labels"))
		s.show(s.live(u))
		s.apply(u)
		s.show(s.live(u))
	}, []string{
		"a map[j:v]", `  slipway Apply .data.j`,
		"a map[j:v k:v]", `  slipway Apply .data.j .data.k` + label,
	}},
	{"an edit to the value that is there takes nothing", func(s *scene) {
		u := s.configMap("a", "k: v")
		s.apply(u)
		s.edit(u, "person", set("v", "data", "k"))
		s.show(s.live(u))
	}, []string{"a map[k:v]", `  slipway Apply .data.k` + label}},
	{"an edit cannot take managed fields away by leaving them out", func(s *scene) {
		u := s.configMap("a", "k: v")
		s.apply(u)
		s.edit(u, "person", func(u *unstructured.Unstructured) { u.SetManagedFields(nil) })
		s.show(s.live(u))
	}, []string{"a map[k:v]", `  slipway Apply .data.k` + label}},
	{"what was created by POST is owned by an update, and stays when an apply leaves it out", func(s *scene) {
		u := s.configMap("a", "k: v, j: v")
		s.Create("kubectl-create", u)
		s.show(s.live(u))
		s.apply(s.configMap("a", "k: w"))
		s.show(s.live(u))
	}, []string{
		"a map[j:v k:v]", `  kubectl-create Update .data .data.j .data.k .metadata.labels` + label,
		"a map[j:v k:w]", `  kubectl-create Update .data .data.j .metadata.labels` + label, `  slipway Apply .data.k` + label,
	}},
	{"what is adopted goes when an apply leaves it out", func(s *scene) {
		u := s.configMap("a", "k: v, j: v")
		s.Create("kubectl-client-side-apply", u)
		old := s.live(u)
		entries := old.GetManagedFields()
		entries[0].Manager, entries[0].Operation = manifest.Manager, metav1.ManagedFieldsOperationApply
		next, err := s.Adopt(s.t.Context(), idOf(u), old.GetUID(), old.GetResourceVersion(), entries)
		s.ends("adopt", err)
		now := s.live(u)
		s.show(now)
		s.tell("its version is %v, another than before %v", now.GetResourceVersion() == next, next != old.GetResourceVersion())
		again, err := s.Adopt(s.t.Context(), idOf(u), now.GetUID(), next, entries)
		s.ends("adopt again", err)
		s.tell("the same version: %v", again == next)
		_, err = s.Adopt(s.t.Context(), idOf(u), old.GetUID(), old.GetResourceVersion(), entries)
		s.ends("adopt an older state", err)
		_, err = s.Adopt(s.t.Context(), idOf(u), "0b0a9f8e-0000-4000-8000-000000000000", next, entries)
		s.ends("adopt another", err)
		_, err = s.Adopt(s.t.Context(), idOf(u), old.GetUID(), next, nil)
		s.ends("adopt without entries", err)
		_, err = s.Adopt(s.t.Context(), idOf(s.configMap("b", "")), old.GetUID(), next, entries)
		s.ends("adopt what is not there", err)
		s.apply(s.configMap("a", "k: w"))
		s.show(s.live(u))
	}, []string{
		"adopt: done", "a map[j:v k:v]", `  slipway Apply .data .data.j .data.k .metadata.labels` + label,
		"its version is true, another than before true", "adopt again: done", "the same version: true",
		"adopt an older state: conflict", "adopt another: conflict", "adopt without entries: internal", "adopt what is not there: not found",
		"a map[k:w]", `  slipway Apply .data.k` + label,
	}},
	{"items of a list that has keys are merged by key", func(s *scene) {
		u := s.object(podTemplate("image: web:1"))
		s.apply(u)
		s.edit(u, "person", func(u *unstructured.Unstructured) {
			all, _, _ := unstructured.NestedSlice(u.Object, "template", "spec", "containers")
			sidecar := map[string]any{"name": "sidecar", "image": "sidecar:1", "resources": map[string]any{}, "terminationMessagePath": "/dev/termination-log",
				"terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent"} // as the server would make it by defaulting
			set(append(all, sidecar), "template", "spec", "containers")(u)
		})
		s.show(s.live(u))
		now := s.apply(s.object(podTemplate("image: web:2")))
		s.show(now)
		all, _, _ := unstructured.NestedSlice(now.Object, "template", "spec", "containers")
		s.tell("%d containers", len(all))
	}, []string{
		"a map[]", sidecars, templates, "a map[]", sidecars, templates, "2 containers",
	}},
	{"a list without keys belongs to one", func(s *scene) {
		u := s.object(podTemplate("image: web:1, args: [a, b]"))
		s.apply(u)
		s.edit(u, "person", func(u *unstructured.Unstructured) {
			all, _, _ := unstructured.NestedSlice(u.Object, "template", "spec", "containers")
			if web, ok := all[0].(map[string]any); ok {
				web["args"] = []any{"a"}
			}
			set(all, "template", "spec", "containers")(u)
		})
		s.show(s.live(u))
	}, []string{
		"a map[]", `  person Update .template.spec.containers[name="web"].args`, templates,
	}},
}

func podTemplate(container string) string {
	return "{apiVersion: v1, kind: PodTemplate, metadata: {name: a}, template: {spec: {containers: [{name: web, " + container + "}]}}}"
}

const (
	templates = `  slipway Apply` + label + ` .template.spec.containers[name="web"] .template.spec.containers[name="web"].image .template.spec.containers[name="web"].name`
	sidecars  = `  person Update .template.spec.containers[name="sidecar"] .template.spec.containers[name="sidecar"].image` +
		` .template.spec.containers[name="sidecar"].imagePullPolicy .template.spec.containers[name="sidecar"].name` +
		` .template.spec.containers[name="sidecar"].resources .template.spec.containers[name="sidecar"].terminationMessagePath` +
		` .template.spec.containers[name="sidecar"].terminationMessagePolicy`
)
