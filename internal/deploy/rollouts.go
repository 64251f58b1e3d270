package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
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

// claim labels the Rollouts as ours, and has them and their templates checked. A Rollout that git gives to another instance
// is that controller's, and applied like any other object.
func (d *Deploy) claim(objs []manifest.Object, note func(format string, args ...any)) error {
	var refused []string
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
			switch given := o.GetLabels()[v1alpha1.LabelKeyControllerInstanceID]; given {
			case "", instance:
				manifest.SetLabel(o.Unstructured, v1alpha1.LabelKeyControllerInstanceID, instance)
			default:
				note("%s: %s: left to the controller of instance %s, by its label", o.File, id, given)
				continue
			}
		}
		if err := d.Rollouts.Check(o.File, o.Unstructured); err != nil {
			refused = append(refused, err.Error())
		}
	}
	if len(refused) > 0 {
		return fault.New(fault.Invalid, "%s", listed(refused))
	}
	return nil
}

func isOurs(u *unstructured.Unstructured) bool {
	return isDriven(manifest.IDOf(u)) && u.GetKind() == "Rollout" && u.GetLabels()[v1alpha1.LabelKeyControllerInstanceID] == instance
}

// begin starts the rollouts of what was applied. That one is not started is no failure of the sync, which has done its part:
// it is noted, and what may go well later the tick tries again.
func (r *run) begin(ctx context.Context, p *plan) {
	for _, s := range p.send {
		if s.applied == nil || !isOurs(s.applied) {
			continue
		}
		u := s.applied
		if lease.Postponed(s.Unstructured, u) { // what git says is not applied; whether it is rejected for good is decided now
			u = u.DeepCopy()
			u.Object["spec"] = s.Object.Object["spec"]
		}
		_, err := r.Rollouts.Start(ctx, r.declared.Destination, u, record.Origin{Application: string(r.name), Commit: r.commit()})
		switch {
		case err == nil:
		case fault.Is(err, fault.Invalid):
			r.note("%s: %v", s.id, err)
		default:
			r.note("%s: it is started with the next look at its cluster: %v", s.id, err)
		}
	}
}

// commit is what is wanted, for people: of several sources each.
func (r *run) commit() string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(r.wanted.Revs)) {
		all = append(all, string(r.wanted.Revs[k]))
	}
	return strings.Join(slices.Compact(all), " ")
}
