package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/rollout"
)

// mark is an annotation on every object that a rollout writes: the fence of who wrote last, and whether that was the
// beginning or a rollback. It makes a write of a run that came too late meet another resourceVersion (rule 5).
const mark = "slipway.dev/rollout-fence"

// touch really changes every object that an older run may write, also where its values are right. What carries the mark
// already was touched by an earlier attempt of the same task.
func (w *world) touch(ctx context.Context, a record.Attempt, task rollout.Task) error {
	value := fmt.Sprintf("%d.%s", a.Fence, task)
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{mark: value}}})
	if err != nil {
		return err
	}
	touch := func(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		if u.GetAnnotations()[mark] == value {
			return u, nil
		}
		return w.merge(ctx, u, "", patch)
	}
	for i, u := range w.routes {
		if w.routes[i], err = touch(u); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.services)) {
		if w.services[name], err = touch(w.services[name]); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.sets)) {
		if w.sets[name], err = touch(w.sets[name]); err != nil {
			return err
		}
	}
	w.rollout, err = touch(w.rollout)
	return err
}

// held is what the Rollout holds of objects that come from git: sync and drift leave it as it is live (design.md 3). With
// a policy that lets a running canary end first, that is the template and the steps too, as long as it runs.
func (w *world) held(p policy) []record.Field {
	var out []record.Field
	holder := fmt.Sprintf("%s %s/%s", rolloutKind, w.key.Namespace, w.key.Name)
	hold := func(id manifest.ID, running bool, paths ...string) {
		for _, path := range paths {
			out = append(out, record.Field{Object: id, Path: path, Holder: holder, Running: running})
		}
	}
	fence := "/metadata/annotations/" + pointer(mark)
	c := w.ro.Spec.Strategy.Canary
	for _, name := range []string{c.CanaryService, c.StableService} {
		if name != "" {
			hold(w.key.of(serviceKind, name), false, "/spec/selector/"+hashLabel, "/metadata/annotations/"+pointer(v1alpha1.ManagedByRolloutsKey), fence)
		}
	}
	for _, route := range w.routes {
		hold(manifest.IDOf(route), false, "/spec/rules", fence)
	}
	hold(w.key.id(), false, "/metadata/annotations/"+pointer(revisionNote), fence)
	if p != restart {
		hold(w.key.id(), true, "/spec/template", "/spec/strategy")
	}
	return out
}

// pointer is a key as a JSON pointer has it (RFC 6901).
func pointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
