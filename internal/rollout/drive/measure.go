package drive

import (
	"context"
	"fmt"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"slipway/internal/analysis"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/rollout"
)

// measure makes the AnalysisRuns that are missing and takes the measurements that are due. What it finds is written only
// while no newer attempt and no abort is in the record (rule 9); what that means the next look decides.
func (r run) measure(ctx context.Context) (State, error) {
	if _, err := r.claim(ctx); err != nil {
		return State{}, err
	}
	c, err := r.Connect(ctx, r.key.Cluster)
	if err != nil {
		return State{}, fmt.Errorf("connect to cluster of %s: %w", r.key, err)
	}
	w, err := r.read(ctx, c, r.key)
	if err != nil {
		return State{}, err
	}
	rec, err := r.again(ctx, Measure)
	if err != nil {
		return State{}, err
	}
	s := r.call.turn()
	w.asks(rec, s, rollout.Analyze)
	_, next, err := rollout.Decide(w.in)
	if err != nil {
		return State{}, err
	}
	for _, m := range next.Measure {
		if err := r.one(ctx, w, rec, m, next.Hash); err != nil {
			return State{}, fmt.Errorf("analysis %s: %w", m.Name, err)
		}
	}
	return s, nil
}

// one takes what is due of one run.
func (r run) one(ctx context.Context, w *world, rec record.Rollout, m rollout.Measurement, hash string) error {
	before := w.runs[m.Name]
	if before == nil {
		created, err := w.createRun(ctx, m, hash, rec.WeightAt)
		if err != nil {
			return err
		}
		before = created
	}
	after := before.DeepCopy()
	if !rec.WeightAt.IsZero() {
		analysis.WeightChanged(after, rec.WeightAt)
	}
	plan := analysis.Next(after, time.Now())
	if len(plan.Due) > 0 {
		meter, err := r.Meter(ctx, r.key.Cluster)
		if err != nil {
			return err
		}
		taken, err := meter.Measure(ctx, after, plan.Due)
		if err != nil {
			return err
		}
		if err := analysis.Record(after, taken...); err != nil {
			return err
		}
		analysis.Next(after, time.Now())
	}
	if _, err := r.again(ctx, Measure); err != nil {
		return err
	}
	return w.saveRun(ctx, before, after)
}

// createRun makes the AnalysisRun that a decision has named.
func (w *world) createRun(ctx context.Context, m rollout.Measurement, hash string, weightAt time.Time) (*v1alpha1.AnalysisRun, error) {
	templates, err := analysis.Collect(ctx, templates{w.Cluster, w.key}, m.Analysis.Templates)
	if err != nil {
		return nil, err
	}
	occasion := analysis.Step
	if m.Background {
		occasion = analysis.Background
	}
	run, _, err := analysis.NewRun(analysis.Request{
		Subject:  analysis.Subject{Rollout: w.ro, Stable: w.ro.Status.StableRS, Latest: hash},
		Occasion: occasion, Index: m.Step, Analysis: *m.Analysis, Templates: templates,
	})
	if err != nil {
		return nil, err
	}
	run.Name = m.Name // of a second try it has a number
	if !weightAt.IsZero() {
		analysis.WeightChanged(run, weightAt)
	}
	obj, err := runtime.DefaultUnstructuredConverter.ToUnstructured(run)
	if err != nil {
		return nil, err
	}
	u := &unstructured.Unstructured{Object: obj}
	delete(u.Object, "status")
	live, err := w.Create(ctx, u)
	if err != nil {
		return nil, err
	}
	return asRun(live)
}

func asRun(u *unstructured.Unstructured) (*v1alpha1.AnalysisRun, error) {
	var run v1alpha1.AnalysisRun
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &run); err != nil {
		return nil, fmt.Errorf("AnalysisRun %s: %w", u.GetName(), err)
	}
	return &run, nil
}

// saveRun writes what has changed of a run. An AnalysisRun has no status subresource.
func (w *world) saveRun(ctx context.Context, before, after *v1alpha1.AnalysisRun) error {
	patch, err := difference(before, after)
	if err != nil || string(patch) == "{}" {
		return err
	}
	if _, err := w.Merge(ctx, w.key.of(runKind, before.Name), before.UID, before.ResourceVersion, "", patch); err != nil {
		return fmt.Errorf("write AnalysisRun %s: %w", before.Name, err)
	}
	return nil
}

// templates are those of the cluster.
type templates struct {
	Cluster
	key Key
}

func (t templates) Template(ctx context.Context, name string, cluster bool) (analysis.Template, error) {
	id := t.key.of(templateKind, name)
	if cluster {
		id = manifest.ID{Group: clusterKind.Group, Kind: clusterKind.Kind, Name: name}
	}
	u, err := t.Get(ctx, id)
	if err != nil {
		return analysis.Template{}, err
	}
	return analysis.DecodeTemplate("cluster "+t.key.Cluster, u.Object)
}
