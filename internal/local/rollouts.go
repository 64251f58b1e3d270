package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/kube"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/rollout/drive"
)

var (
	rolloutKind = schema.GroupKind{Group: "argoproj.io", Kind: "Rollout"}
	runKind     = schema.GroupKind{Group: "argoproj.io", Kind: "AnalysisRun"}
	setKind     = schema.GroupKind{Group: "apps", Kind: "ReplicaSet"}
)

// rolloutRoutes are what the command-line client asks of rollouts.
func (l *Local) rolloutRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/rollouts", func(w http.ResponseWriter, r *http.Request) { answer(w)(l.allRollouts(r.Context())) })
	mux.HandleFunc("GET /v1/rollouts/{cluster}/{namespace}/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w)(l.rollout(r.Context(), keyOf(r)))
	})
	mux.HandleFunc("POST /v1/rollouts/{cluster}/{namespace}/{name}/{verb}", func(w http.ResponseWriter, r *http.Request) {
		err := l.steer(r.Context(), keyOf(r), r.PathValue("verb"), r.URL.Query().Get("why"))
		answer(w)(struct{}{}, err)
	})
}

func keyOf(r *http.Request) drive.Key {
	return drive.Key{Cluster: r.PathValue("cluster"), Namespace: r.PathValue("namespace"), Name: r.PathValue("name")}
}

// allRollouts is the Rollouts of all clusters, or what each cluster that does not answer says: a list that misses some
// would read as if there were no others.
func (l *Local) allRollouts(ctx context.Context) ([]Rollout, error) {
	out := []Rollout{}
	var failed []error
	for _, c := range l.clusters {
		all, err := l.rolloutsOf(ctx, c.Name)
		failed = append(failed, err)
		out = append(out, all...)
	}
	return out, errors.Join(failed...)
}

func (l *Local) rolloutsOf(ctx context.Context, cluster string) ([]Rollout, error) {
	c, err := l.connect(cluster)
	if err != nil {
		return nil, err
	}
	all, err := c.Rollouts().All(ctx, rolloutKind, "", drive.Instance)
	if fault.Is(err, fault.NotFound) || len(all) == 0 && err == nil {
		return nil, nil // the cluster does not know the kind
	}
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", cluster, err)
	}
	sets, runs, err := parts(ctx, c.Rollouts(), "")
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", cluster, err)
	}
	var out []Rollout
	for i := range all {
		v, err := l.viewed(ctx, drive.Key{Cluster: cluster, Namespace: all[i].GetNamespace(), Name: all[i].GetName()}, &all[i], sets, runs)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// rollout is one of them; NotFound names those that there are.
func (l *Local) rollout(ctx context.Context, k drive.Key) (Rollout, error) {
	c, err := l.connect(k.Cluster)
	if err != nil {
		return Rollout{}, err
	}
	u, err := c.Rollouts().Get(ctx, manifest.ID{Group: rolloutKind.Group, Kind: rolloutKind.Kind, Namespace: k.Namespace, Name: k.Name})
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		return Rollout{}, l.unknown(ctx, k)
	}
	if err != nil {
		return Rollout{}, err
	}
	sets, runs, err := parts(ctx, c.Rollouts(), k.Namespace)
	if err != nil {
		return Rollout{}, err
	}
	return l.viewed(ctx, k, u, sets, runs)
}

func (l *Local) viewed(ctx context.Context, k drive.Key, u *unstructured.Unstructured, sets []appsv1.ReplicaSet, runs []v1alpha1.AnalysisRun) (Rollout, error) {
	var ro v1alpha1.Rollout
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &ro); err != nil {
		return Rollout{}, fmt.Errorf("read rollout %s: %w", k, err)
	}
	rec, err := l.stores.Rollouts.Get(ctx, k.String())
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Rollout{}, fmt.Errorf("read rollout %s: %w", k, err)
	}
	rec.Rollout = k.String()
	return viewRollout(rec, &ro, sets, runs), nil
}

// parts are the ReplicaSets and AnalysisRuns of a namespace's Rollouts, or of all for "".
func parts(ctx context.Context, c *kube.RolloutClient, namespace string) (sets []appsv1.ReplicaSet, runs []v1alpha1.AnalysisRun, err error) {
	if sets, err = typed[appsv1.ReplicaSet](ctx, c, setKind, namespace, v1alpha1.DefaultRolloutUniqueLabelKey); err != nil {
		return nil, nil, err
	}
	runs, err = typed[v1alpha1.AnalysisRun](ctx, c, runKind, namespace, "")
	return sets, runs, err
}

func typed[T any](ctx context.Context, c *kube.RolloutClient, gk schema.GroupKind, namespace, selector string) ([]T, error) {
	all, err := c.All(ctx, gk, namespace, selector)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(all))
	for i := range all {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(all[i].Object, &out[i]); err != nil {
			return nil, fmt.Errorf("read %s %s: %w", gk.Kind, all[i].GetName(), err)
		}
	}
	return out, nil
}

// unknown says which Rollouts there are.
func (l *Local) unknown(ctx context.Context, k drive.Key) error {
	recs, err := l.stores.Rollouts.List(ctx, "")
	if err != nil {
		return err
	}
	names := make([]string, len(recs))
	for i, r := range recs {
		names[i] = r.Rollout
	}
	if len(names) == 0 {
		names = []string{"none"}
	}
	return fault.New(fault.NotFound, "rollout %s: there is no such one; there are: %s", k, strings.Join(names[:min(len(names), 20)], ", "))
}

// steer is what a person asks. To stop is what Stop execution does in the console of Step Functions: the janitor is told,
// and brings the weights back.
func (l *Local) steer(ctx context.Context, k drive.Key, verb, why string) error {
	err := l.verb(ctx, k, verb, why)
	if fault.Is(err, fault.NotFound) {
		return l.unknown(ctx, k)
	}
	return err
}

func (l *Local) verb(ctx context.Context, k drive.Key, verb, why string) error {
	if verb != "stop" { // as by the state machine that a person starts in the console
		return l.rollouts.Control(ctx, drive.Control{Rollout: k.String(), Action: verb, Why: manifest.CleanText(why, 200)})
	}
	rec, err := l.stores.Rollouts.Get(ctx, k.String())
	if err != nil {
		return err
	}
	if rec.Stage.Ended() {
		return fault.New(fault.Busy, "stop %s: nothing is under way: it is %s", k, rec.Stage)
	}
	return l.engine.Stop(ctx, drive.Machine, rec.Execution, "Stopped", "by a person")
}

// rolloutsFrom is the rollouts whose revision came with a commit of an application.
func (l *Local) rolloutsFrom(ctx context.Context, name app.Name) ([]record.Rollout, error) {
	all, err := l.stores.Rollouts.List(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("read rollouts of %s: %w", name, err)
	}
	var out []record.Rollout
	for _, r := range all {
		if r.Origin.Application == string(name) {
			r.Token, r.Left = record.Token{}, nil // what answers a wait is not for people
			out = append(out, r)
		}
	}
	return out, nil
}
