package drive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/rollout"
)

// Tick looks at every Rollout of a cluster between the steps of their executions (rule 14, and design.md 4, "The tick"):
// no controller runs in the cluster, so what changes there meanwhile is found here. It reads the records first, then the
// cluster, and writes on the fences read. Each Rollout's error is one of the errors that are joined.
func (d *Drive) Tick(ctx context.Context, cluster string) error {
	records, err := d.Rollouts.List(ctx, cluster+"/")
	if err != nil {
		return err
	}
	c, err := d.Connect(ctx, cluster)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", cluster, err)
	}
	all, err := c.All(ctx, rolloutKind, "", Instance)
	if fault.Is(err, fault.NotFound) && len(records) == 0 {
		return nil // the cluster does not know the kind; with records that is no proof that all Rollouts are gone
	}
	if err != nil {
		return fmt.Errorf("list Rollouts of %s: %w", cluster, err)
	}
	if len(all) == 0 && len(records) == 0 {
		return nil
	}
	sets, err := setsByOwner(ctx, c)
	if err != nil {
		return fmt.Errorf("list ReplicaSets of %s: %w", cluster, err)
	}
	known := map[string]record.Rollout{}
	for _, rec := range records {
		known[rec.Rollout] = rec
	}
	var failed []error
	for i := range all {
		k := Key{cluster, all[i].GetNamespace(), all[i].GetName()}
		rec := known[k.String()]
		delete(known, k.String())
		if err := d.lookAt(ctx, k, rec, &all[i], sets[all[i].GetUID()]); err != nil && !fault.Is(err, fault.Conflict) {
			failed = append(failed, fmt.Errorf("rollout %s: %w", k, err)) // a conflict: it moved on, and the next tick looks
		}
	}
	for _, rec := range records {
		if _, gone := known[rec.Rollout]; gone {
			failed = append(failed, d.forget(ctx, rec))
		}
	}
	return errors.Join(failed...)
}

// setsByOwner is every ReplicaSet of a Rollout, by the Rollout's uid.
func setsByOwner(ctx context.Context, c Cluster) (map[types.UID][]*appsv1.ReplicaSet, error) {
	all, err := c.All(ctx, setKind, "", hashLabel)
	if err != nil {
		return nil, err
	}
	sets := map[types.UID][]*appsv1.ReplicaSet{}
	for i := range all {
		owner := metav1.GetControllerOf(&all[i])
		if owner == nil || owner.Kind != rolloutKind.Kind {
			continue
		}
		var rs appsv1.ReplicaSet
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(all[i].Object, &rs); err != nil {
			return nil, fmt.Errorf("%s/%s: %w", all[i].GetNamespace(), all[i].GetName(), err)
		}
		sets[owner.UID] = append(sets[owner.UID], &rs)
	}
	return sets, nil
}

// forget ends what is left of a Rollout that was deleted: its ReplicaSets go with it.
func (d *Drive) forget(ctx context.Context, rec record.Rollout) error {
	if !rec.Stage.Ended() && rec.Execution != "" {
		err := d.Executions.Stop(ctx, Machine, rec.Execution, "Deleted", "the Rollout was deleted")
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("stop %s: %w", rec.Execution, err)
		}
	}
	return d.Rollouts.Delete(ctx, rec.Rollout)
}

// lookAt does the one thing that a Rollout needs most.
func (d *Drive) lookAt(ctx context.Context, k Key, rec record.Rollout, u *unstructured.Unstructured, sets []*appsv1.ReplicaSet) error {
	ro, revision, err := revised(u)
	if err != nil {
		return err
	}
	p, err := rollout.PolicyOf(u)
	if err != nil {
		return err
	}
	rec.Rollout = k.String()
	if err := d.release(ctx, rec); err != nil {
		return err
	}
	if revision != rec.Revision && rec.Stage != record.Promoting && !rec.Rejects(revision) && (rec.Stage.Ended() || p != rollout.Queue) {
		_, err := d.start(ctx, k, rec, ro, revision, p)
		return err
	}
	if rec.Stage.Ended() {
		return d.lookEnded(ctx, k, rec, ro, revision, sets)
	}
	ended, err := d.over(ctx, rec)
	switch {
	case fault.Is(err, fault.NotFound):
		return d.launch(ctx, rec)
	case err != nil:
		return err
	case ended && waiting(rec, ro, sets):
		return nil
	case ended:
		return d.Janitor(ctx, k, rec.Fence)
	}
	return d.lookRunning(ctx, rec, ro, sets)
}

// waiting reports whether a rollback can only wait: its canary has weight and serves, and stable, which is told to be
// complete, has no pod that could take it. A janitor would take a fence at each tick, for nothing (rule 15).
func waiting(rec record.Rollout, ro *v1alpha1.Rollout, sets []*appsv1.ReplicaSet) bool {
	if _, routed := rollout.GatewayOf(ro); !routed || rec.Stage != record.Aborting || rec.Weight == 0 {
		return false
	}
	told, serves := false, false
	for _, rs := range sets {
		switch rs.Labels[hashLabel] {
		case ro.Status.StableRS:
			if rs.Status.AvailableReplicas > 0 {
				return false
			}
			told = rs.Spec.Replicas != nil && *rs.Spec.Replicas >= rollout.Replicas(ro)
		case rec.Hash:
			serves = rs.Status.AvailableReplicas > 0
		}
	}
	return told && serves
}

// lookEnded looks at a Rollout of which no execution is under way.
func (d *Drive) lookEnded(ctx context.Context, k Key, rec record.Rollout, ro *v1alpha1.Rollout, revision string, sets []*appsv1.ReplicaSet) error {
	switch verb := rollout.Asked(ro, rollout.Stage(rec.Stage)); {
	case verb == rollout.VerbRetry || verb == rollout.VerbPromoteFull && rec.Stage == record.Aborted:
		return d.retry(ctx, k, rec, verb == rollout.VerbPromoteFull)
	case revision == rec.Revision && (stirs(ro, sets) || due(ro, sets)):
		return d.tend(ctx, k, rec)
	}
	return nil
}

// lookRunning looks at a Rollout whose execution goes on.
func (d *Drive) lookRunning(ctx context.Context, rec record.Rollout, ro *v1alpha1.Rollout, sets []*appsv1.ReplicaSet) error {
	asked := rollout.Asked(ro, rollout.Stage(rec.Stage))
	switch {
	case asked == rollout.VerbAbort:
		return d.tellRead(ctx, rec, func(now *record.Rollout, read record.Rollout) error {
			return now.Abort(read.Fence, "aborted by a patch of status.abort")
		})
	case asked == rollout.VerbPromoteFull && rec.Verb != record.PromoteFull:
		return d.tellRead(ctx, rec, func(now *record.Rollout, read record.Rollout) error { return now.Full(read.Fence) })
	case asked == rollout.VerbPromote && rec.Token.Answer == record.Pending:
		return d.tellRead(ctx, rec, func(now *record.Rollout, read record.Rollout) error {
			return now.Promote(read.Fence, read.Token.Number)
		})
	case rec.Token.Handle == "":
		return nil // no wait: the execution looks by itself
	case rec.Token.Answer != record.Pending:
		return d.send(ctx, rec) // decided, and perhaps never sent
	case stirs(ro, sets), skipped(rec, ro):
		return d.answer(ctx, rec.Token.Handle)
	}
	return nil
}

// skipped reports whether the step that waits is not the current one any more: kubectl's plugin has ended an analysis by a
// promote, which moves the index alone.
func skipped(rec record.Rollout, ro *v1alpha1.Rollout) bool {
	i := ro.Status.CurrentStepIndex
	return i != nil && *i != rec.Token.Step
}

// due reports whether a time has come that no change tells of: that of old pods to go, or for progress.
func due(ro *v1alpha1.Rollout, sets []*appsv1.ReplicaSet) bool {
	for _, rs := range sets {
		until, err := time.Parse(time.RFC3339, rs.Annotations[v1alpha1.DefaultReplicaSetScaleDownDeadlineAnnotationKey])
		if err == nil && !time.Now().Before(until) && (rs.Spec.Replicas == nil || *rs.Spec.Replicas > 0) {
			return true
		}
	}
	return rollout.Overdue(ro, time.Now())
}

// stirs reports whether something changed that the status does not know yet: the spec, a number of pods, a restart that
// is due.
func stirs(ro *v1alpha1.Rollout, sets []*appsv1.ReplicaSet) bool {
	s := &ro.Status
	var pods, ready, available int32
	for _, rs := range sets {
		pods, ready, available = pods+rs.Status.Replicas, ready+rs.Status.ReadyReplicas, available+rs.Status.AvailableReplicas
	}
	restart := ro.Spec.RestartAt
	return s.ObservedGeneration != fmt.Sprint(ro.Generation) || pods != s.Replicas || ready != s.ReadyReplicas || available != s.AvailableReplicas ||
		restart != nil && (s.RestartedAt == nil || !s.RestartedAt.Equal(restart)) && !time.Now().Before(restart.Time)
}
