package drive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/rollout"
)

// Start begins the rollout of a Rollout's template, unless that runs or ran already: what a sync calls when it has changed
// one, and the tick when a sync could not. It reports whether an execution was started. Invalid: the template was rolled
// back before, or the Rollout is wrong. Where another revision must end first, or what was aborted before its record was lost
// must be cleaned up, nothing is started, and the tick comes back to it. origin is kept for people; a tick may have been
// faster than the sync that knows it.
func (d *Drive) Start(ctx context.Context, cluster string, u *unstructured.Unstructured, origin record.Origin) (bool, error) {
	k := Key{cluster, u.GetNamespace(), u.GetName()}
	ro, revision, err := revised(u)
	if err != nil {
		return false, err
	}
	p, err := rollout.PolicyOf(u)
	if err != nil {
		return false, err
	}
	rec, err := d.Rollouts.Get(ctx, k.String())
	if err != nil && !fault.Is(err, fault.NotFound) {
		return false, err
	}
	started, err := d.start(ctx, k, rec, ro, revision, p)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return started, err
	}
	_, told := d.Rollouts.Update(ctx, k.String(), func(rec *record.Rollout) error {
		rec.From(revision, origin)
		return nil
	})
	return started, errors.Join(err, told)
}

// start is rule 2 on what was read of the record.
func (d *Drive) start(ctx context.Context, k Key, read record.Rollout, ro *v1alpha1.Rollout, revision string, p rollout.Policy) (bool, error) {
	if read.Fence == 0 {
		was, err := aborted(ro)
		if err != nil {
			return false, err
		}
		if was {
			return false, d.recall(ctx, k, revision)
		}
	}
	if p != rollout.Restart && !read.Stage.Ended() && revision != read.Revision {
		if p == rollout.Queue {
			return false, nil
		}
		return false, d.refuse(ctx, k, read, revision)
	}
	after, err := d.Rollouts.Update(ctx, k.String(), func(rec *record.Rollout) error {
		return rec.Start(read.Fence, revision, k.execution(revision), time.Now())
	})
	switch {
	case fault.Is(err, fault.Superseded), fault.Is(err, fault.Busy):
		return false, nil
	case err != nil:
		return false, err
	}
	return true, d.launch(ctx, after)
}

// aborted reports whether the status shows that this very template was rolled back, or was to be: the second memory of it,
// which is left when the record is lost (rule 2).
func aborted(ro *v1alpha1.Rollout) (bool, error) {
	s := &ro.Status
	if !s.Abort || s.StableRS == "" {
		return false, nil
	}
	hash, err := rollout.PodHash(&ro.Spec.Template, s.CollisionCount)
	if err != nil {
		return false, err
	}
	steps, err := rollout.StepHash(ro.Spec.Strategy.Canary.Steps)
	return s.CurrentPodHash == hash && s.CurrentStepHash == steps && s.StableRS != hash, err
}

// recall writes a record for the tick's janitor, in place of a start.
func (d *Drive) recall(ctx context.Context, k Key, revision string) error {
	_, err := d.Rollouts.Update(ctx, k.String(), func(rec *record.Rollout) error {
		return rec.Recall(revision, "the Rollout's status says that it was aborted", time.Now())
	})
	return err
}

// Reject is what a sync has done with a template that it does not apply yet, of a Rollout whose annotation says reject: it
// came while another revision ran, and is not rolled out when that has ended. Invalid tells that it is rejected; nil, that
// nothing runs by now, or this very revision does. It starts nothing, since what is live is not what u says.
func (d *Drive) Reject(ctx context.Context, cluster string, u *unstructured.Unstructured) error {
	k := Key{cluster, u.GetNamespace(), u.GetName()}
	_, revision, err := revised(u)
	if err != nil {
		return err
	}
	rec, err := d.Rollouts.Get(ctx, k.String())
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case rec.Stage.Ended(), revision == rec.Revision:
		return nil
	}
	return d.refuse(ctx, k, rec, revision)
}

// refuse is the policy reject.
func (d *Drive) refuse(ctx context.Context, k Key, read record.Rollout, revision string) error {
	_, err := d.Rollouts.Update(ctx, k.String(), func(rec *record.Rollout) error {
		if rec.Fence != read.Fence {
			return fault.New(fault.Conflict, "refuse revision %s of %s: another execution was named meanwhile", revision, k)
		}
		rec.Reject(revision)
		return nil
	})
	if err != nil {
		return err
	}
	return fault.New(fault.Invalid, "start %s: revision %s is rejected while %s runs (annotation slipway.dev/supersede)", k, revision, read.Revision)
}

// launch starts the execution that the record names, and ends the waits of those before it. Twice is once (rule 2).
func (d *Drive) launch(ctx context.Context, rec record.Rollout) error {
	in, err := input(rec)
	if err != nil {
		return fmt.Errorf("start execution %s: %w", rec.Execution, err)
	}
	if err := d.Executions.Start(ctx, Machine, rec.Execution, in); err != nil {
		return fmt.Errorf("start execution %s: %w", rec.Execution, err)
	}
	return d.release(ctx, rec)
}

// release ends the waits of executions that were superseded: they find that out when they claim (rule 3).
func (d *Drive) release(ctx context.Context, rec record.Rollout) error {
	if len(rec.Left) == 0 {
		return nil
	}
	for _, token := range rec.Left {
		if err := d.answer(ctx, token); err != nil {
			return fmt.Errorf("end a wait of %s: %w", rec.Rollout, err)
		}
	}
	_, err := d.Rollouts.Update(ctx, rec.Rollout, func(now *record.Rollout) error {
		now.Forget(rec.Left)
		return nil
	})
	return err
}
