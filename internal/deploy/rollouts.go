package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/lease"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// instance is the value of the label by which a Rollout is ours to drive: a controller of Argo Rollouts in the same cluster
// leaves alone what names another instance than its own (argo-rollouts utils/controller/controller.go).
const instance = "slipway"

// isDriven reports whether an object is one that our rollouts read: checked before anything is applied.
func isDriven(id manifest.ID) bool {
	return id.Group == "argoproj.io" && (id.Kind == "Rollout" || id.Kind == "AnalysisTemplate" || id.Kind == "ClusterAnalysisTemplate")
}

// instanceOf is who drives a Rollout by its label; "" for nobody yet.
func instanceOf(u *unstructured.Unstructured) string {
	return u.GetLabels()[v1alpha1.LabelKeyControllerInstanceID]
}

func isOurs(u *unstructured.Unstructured) bool {
	id := manifest.IDOf(u)
	return isDriven(id) && id.Kind == "Rollout" && instanceOf(u) == instance
}

// claim labels the Rollouts as ours, and has them and their templates checked: it returns what is wrong with them. A Rollout
// that git gives to another instance is that controller's, and applied like any other object.
func (d *Deploy) claim(objs []manifest.Object, note func(format string, args ...any)) (refused []string) {
	for _, o := range objs {
		id := o.ID()
		if !isDriven(id) {
			continue
		}
		if d.Rollouts == nil {
			refused = append(refused, fmt.Sprintf("%s: %s: nothing here drives rollouts", o.File, id))
			continue
		}
		if id.Kind == "Rollout" {
			if given := instanceOf(o.Unstructured); given != "" && given != instance {
				note("%s: %s: left to the controller of instance %s, by its label", o.File, id, given)
				continue
			}
			manifest.SetLabel(o.Unstructured, v1alpha1.LabelKeyControllerInstanceID, instance)
		}
		if err := d.Rollouts.Check(o.File, o.Unstructured); err != nil {
			refused = append(refused, err.Error())
		}
	}
	return refused
}

// begin starts the rollouts of what was applied, whatever became of the rest of the run: their templates are live, so the
// tick would start them too. Those that were not sent run or ran already; whose commit says the same again is not told.
// A rollout that is not started is no failure of the sync, which has done its part: it is noted, and what may go well later
// the tick tries again. But a rejection is told by the sync alone: without it the run fails, and ends like one with a write
// in flight, so that the next sends the Rollouts again though nothing of them differs.
func (r *run) begin(ctx context.Context, want *desired, p *plan) error {
	applied := slices.DeleteFunc(slices.Clone(p.send), func(s *step) bool { return s.applied == nil })
	if len(applied) == 0 {
		return nil
	}
	if err := r.holds(ctx); err != nil { // a stale run would start an older template than the one that is live by now
		r.inFlight = true
		return err
	}
	failed := make([]error, len(applied))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, s := range applied {
		g.Go(func() error {
			failed[i] = r.start(ctx, want, s)
			return nil
		})
	}
	_ = g.Wait() // every error is in failed
	var lost error
	for i, s := range applied {
		switch err := failed[i]; {
		case err == nil:
		case fault.Is(err, fault.Invalid):
			r.note("%s: %v", s.id, err)
		case lease.Postponed(s.Unstructured, s.applied):
			r.inFlight = true
			lost = &partlyApplied{fmt.Errorf("%s: reject %s: %w", s.File, s.id, err)}
		default:
			r.note("%s: it is started with the next look at its cluster: %v", s.id, err)
		}
	}
	return lost
}

// start begins one rollout. One that waits for another's end is begun by the tick, once drift has applied its template.
func (r *run) start(ctx context.Context, want *desired, s *step) error {
	to := want.application.Destination
	switch {
	case !lease.Postponed(s.Unstructured, s.applied):
		_, err := r.Rollouts.Start(ctx, to, s.applied, record.Origin{Application: string(r.name), Commit: r.commit()})
		return err
	case lease.Rejects(s.Unstructured):
		return r.Rollouts.Reject(ctx, to, s.Unstructured)
	}
	return nil
}

// commit is what is wanted, for people: of several sources each.
func (r *run) commit() string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(r.wanted.Revs)) {
		all = append(all, string(r.wanted.Revs[k]))
	}
	return strings.Join(slices.Compact(all), " ")
}
