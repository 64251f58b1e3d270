package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/record"
	"slipway/internal/rollout"
)

// mark is an annotation on every object that a rollout writes: which attempt took it over last. It makes a write of one
// that came too late meet another resourceVersion (rule 5).
const mark = "slipway.dev/rollout-fence"

// touches reports whether a task takes over from attempts that may still write: those of an older execution, and those of
// its own that timed out (rule 5).
func touches(task rollout.Task) bool { return task == rollout.Begin || task == rollout.Rollback }

// touch really changes every object that an older attempt may write, also where its values are right, and before anything
// else is written. The stable Service is the first: a late promotion would move all traffic to pods that the weight has
// just left (rule 5). What carries the attempt's own mark was touched by its pass before.
func (w *world) touch(ctx context.Context, a record.Attempt) error {
	value := fmt.Sprintf("%d.%d.%s", a.Fence, a.Number, a.Call) // two calls of one attempt are two as well
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
	service := func(name string) (err error) {
		if u := w.services[name]; u != nil {
			w.services[name], err = touch(u)
		}
		return err
	}
	c := w.ro.Spec.Strategy.Canary
	if err := service(c.StableService); err != nil {
		return err
	}
	for i, u := range w.routes {
		if w.routes[i], err = touch(u); err != nil {
			return err
		}
	}
	if err := service(c.CanaryService); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(w.sets)) {
		if owner := metav1.GetControllerOf(w.sets[name]); owner != nil && owner.UID != w.ro.UID {
			continue // its name begins as ours do, and it is another's
		}
		if w.sets[name], err = touch(w.sets[name]); err != nil {
			return err
		}
	}
	w.rollout, err = touch(w.rollout)
	return err
}
