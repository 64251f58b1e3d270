package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"slipway/internal/analysis"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/rollout"
	"slipway/internal/traffic"
)

// revisionNote is the Rollout's revision, counted from 1 (argo-rollouts utils/annotations).
const revisionNote = "rollout.argoproj.io/revision"

// write writes changes in the order of their fields, each on condition of what was read. fault.Conflict: read again.
func (w *world) write(ctx context.Context, c rollout.Changes) error {
	for _, step := range []func(context.Context, rollout.Changes) error{w.writeTraffic, w.writeSets, w.writeEvictions, w.writeRollout, w.writeRuns} {
		if err := step(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) writeTraffic(ctx context.Context, c rollout.Changes) error {
	if c.Weight != nil {
		changed, err := w.router.SetWeight(w.routes, *c.Weight)
		if err != nil {
			return err
		}
		for _, after := range changed {
			for i, before := range w.routes {
				if manifest.IDOf(before) != manifest.IDOf(after) {
					continue
				}
				if w.routes[i], err = w.become(ctx, before, after); err != nil {
					return err
				}
			}
		}
	}
	for _, s := range c.Select {
		before := w.services[s.Service]
		after, err := traffic.Select(before, w.key.Name, s.Hash)
		if err != nil {
			return err
		}
		if after == nil {
			continue
		}
		if w.services[s.Service], err = w.become(ctx, before, after); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) writeSets(ctx context.Context, c rollout.Changes) error {
	for _, rs := range c.Create {
		u, err := loose(rs)
		if err != nil {
			return err
		}
		if _, err := w.Create(ctx, u); err != nil {
			return fmt.Errorf("create ReplicaSet %s: %w", rs.Name, err)
		}
	}
	for _, rs := range c.Update {
		patch, err := difference(w.typed[rs.Name], rs)
		if err != nil {
			return err
		}
		if w.sets[rs.Name], err = w.merge(ctx, w.sets[rs.Name], "", patch); err != nil {
			return err
		}
	}
	for _, rs := range c.Delete {
		if err := w.Remove(ctx, w.key.of(setKind, rs.Name), rs.UID, w.sets[rs.Name].GetResourceVersion()); err != nil {
			return fmt.Errorf("delete ReplicaSet %s: %w", rs.Name, err)
		}
		delete(w.sets, rs.Name)
	}
	return nil
}

// loose is a ReplicaSet as data, without the status that Go writes always.
func loose(rs *appsv1.ReplicaSet) (*unstructured.Unstructured, error) {
	obj, err := runtime.DefaultUnstructuredConverter.ToUnstructured(rs)
	if err != nil {
		return nil, fmt.Errorf("encode ReplicaSet %s: %w", rs.Name, err)
	}
	u := &unstructured.Unstructured{Object: obj}
	delete(u.Object, "status")
	return u, nil
}

// writeEvictions asks for pods to go. Where a PodDisruptionBudget says no, the next look asks again.
func (w *world) writeEvictions(ctx context.Context, c rollout.Changes) error {
	for _, p := range c.Evict {
		err := w.Evict(ctx, p.Namespace, p.Name, p.UID)
		if err != nil && !fault.Is(err, fault.Busy) && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("evict pod %s: %w", p.Name, err)
		}
	}
	return nil
}

func (w *world) writeRollout(ctx context.Context, c rollout.Changes) error {
	var err error
	patch := map[string]any{}
	if c.Revision != "" {
		patch["metadata"] = map[string]any{"annotations": map[string]any{revisionNote: c.Revision}}
	}
	if c.UnpauseSpec {
		patch["spec"] = map[string]any{"paused": false}
	}
	if len(patch) > 0 {
		data, err := json.Marshal(patch)
		if err != nil {
			return err
		}
		if w.rollout, err = w.merge(ctx, w.rollout, "", data); err != nil {
			return err
		}
	}
	if c.Status == nil {
		return nil
	}
	status, err := difference(map[string]any{"status": w.rollout.Object["status"]}, map[string]any{"status": c.Status})
	if err != nil {
		return err
	}
	w.rollout, err = w.merge(ctx, w.rollout, "status", status)
	return err
}

// writeRuns ends AnalysisRuns: nobody measures them any more, so they are completed in the same write.
func (w *world) writeRuns(ctx context.Context, c rollout.Changes) error {
	for _, name := range c.Terminate {
		before := w.runs[name]
		if before == nil {
			continue
		}
		after := before.DeepCopy()
		after.Spec.Terminate = true
		analysis.Next(after, time.Now())
		if err := w.saveRun(ctx, before, after); err != nil {
			return err
		}
	}
	return nil
}

// become writes what differs of an object.
func (w *world) become(ctx context.Context, before, after *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	patch, err := difference(before.Object, after.Object)
	if err != nil {
		return nil, err
	}
	return w.merge(ctx, before, "", patch)
}

// merge writes a merge patch on condition of what was read; one that changes nothing is not sent.
func (w *world) merge(ctx context.Context, u *unstructured.Unstructured, subresource string, patch []byte) (*unstructured.Unstructured, error) {
	if string(patch) == "{}" {
		return u, nil
	}
	after, err := w.Merge(ctx, manifest.IDOf(u), u.GetUID(), u.GetResourceVersion(), subresource, patch)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", manifest.IDOf(u), err)
	}
	return after, nil
}

// difference is the merge patch from before to after, both of which become JSON.
func difference(before, after any) ([]byte, error) {
	from, err := json.Marshal(before)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	to, err := json.Marshal(after)
	if err != nil {
		return nil, fmt.Errorf("encode object: %w", err)
	}
	patch, err := jsonpatch.CreateMergePatch(from, to)
	if err != nil {
		return nil, fmt.Errorf("compare objects: %w", err)
	}
	return patch, nil
}
