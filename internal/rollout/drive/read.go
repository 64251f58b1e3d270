package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"slipway/internal/fault"
	"slipway/internal/rollout"
	"slipway/internal/traffic"
)

// hashLabel is on every ReplicaSet and pod of a Rollout.
const hashLabel = v1alpha1.DefaultRolloutUniqueLabelKey

// world is what a pass has read, each object as it was; a write puts what it made in its place.
type world struct {
	Cluster
	key      Key
	rollout  *unstructured.Unstructured
	ro       *v1alpha1.Rollout
	sets     map[string]*unstructured.Unstructured // ReplicaSets by name
	typed    map[string]*appsv1.ReplicaSet
	services map[string]*unstructured.Unstructured
	routes   []*unstructured.Unstructured
	router   traffic.Router // nil: the numbers of pods are the weight
	runs     map[string]*v1alpha1.AnalysisRun
	in       rollout.In
}

// read reads all that a decision needs, nothing of it from a cache (rule 4).
func (d *Drive) read(ctx context.Context, c Cluster, k Key) (*world, error) {
	w := &world{
		Cluster: c, key: k, sets: map[string]*unstructured.Unstructured{}, typed: map[string]*appsv1.ReplicaSet{},
		services: map[string]*unstructured.Unstructured{}, runs: map[string]*v1alpha1.AnalysisRun{},
	}
	for _, read := range []func(context.Context) error{w.readRollout, w.readSets, w.readServices, w.readRoutes, w.readRuns, w.readPods} {
		if err := read(ctx); err != nil {
			return nil, fmt.Errorf("read rollout %s: %w", k, err)
		}
	}
	return w, nil
}

func (w *world) readRollout(ctx context.Context) (err error) {
	if w.rollout, err = w.Get(ctx, w.key.id()); err != nil {
		return err
	}
	if w.ro, err = decode(w.rollout); err != nil {
		return err
	}
	w.in.Rollout = w.ro.DeepCopy()
	delete(w.in.Rollout.Annotations, mark) // a ReplicaSet inherits its Rollout's annotations
	return nil
}

func decode(u *unstructured.Unstructured) (*v1alpha1.Rollout, error) {
	data, err := json.Marshal(u.Object)
	if err != nil {
		return nil, err
	}
	return rollout.Decode(data)
}

// revised is a Rollout and the revision that its template asks for.
func revised(u *unstructured.Unstructured) (*v1alpha1.Rollout, string, error) {
	ro, err := decode(u)
	if err != nil {
		return nil, "", err
	}
	revision, err := Revision(ro)
	return ro, revision, err
}

func (w *world) readSets(ctx context.Context) error {
	all, err := w.All(ctx, setKind, w.key.Namespace, hashLabel)
	if err != nil {
		return err
	}
	for i := range all {
		u := &all[i]
		if owner := metav1.GetControllerOf(u); (owner == nil || owner.UID != w.ro.UID) && !strings.HasPrefix(u.GetName(), w.key.Name+"-") {
			continue
		}
		var rs appsv1.ReplicaSet
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &rs); err != nil {
			return fmt.Errorf("ReplicaSet %s: %w", u.GetName(), err)
		}
		w.sets[rs.Name], w.typed[rs.Name] = u, &rs
		w.in.ReplicaSets = append(w.in.ReplicaSets, &rs)
	}
	return nil
}

func (w *world) readServices(ctx context.Context) error {
	c := w.ro.Spec.Strategy.Canary
	w.in.Services = map[string]string{}
	for _, name := range []string{c.CanaryService, c.StableService} {
		if name == "" {
			continue
		}
		u, err := w.Get(ctx, w.key.of(serviceKind, name))
		if err != nil {
			return err
		}
		w.services[name], w.in.Services[name] = u, traffic.Selected(u)
	}
	return nil
}

func (w *world) readRoutes(ctx context.Context) (err error) {
	gateway, routed := rollout.GatewayOf(w.ro)
	if !routed {
		return nil
	}
	c := w.ro.Spec.Strategy.Canary
	w.router = traffic.Gateway{Stable: c.StableService, Canary: c.CanaryService, Namespace: w.key.Namespace}
	for _, name := range gateway.Routes() {
		id := w.key.of(routeKind, name)
		id.Namespace = gateway.Namespace
		u, err := w.Get(ctx, id)
		if err != nil {
			return err
		}
		w.routes = append(w.routes, u)
	}
	w.in.Weight, w.in.Verified, _, err = w.router.Verify(w.routes)
	return err
}

// readRuns reads the AnalysisRuns of a Rollout that has analyses, or had one.
func (w *world) readRuns(ctx context.Context) error {
	if !analyses(w.ro) {
		return nil
	}
	all, err := w.All(ctx, runKind, w.key.Namespace, "")
	if err != nil {
		return err
	}
	for i := range all {
		if owner := metav1.GetControllerOf(&all[i]); owner == nil || owner.UID != w.ro.UID {
			continue
		}
		var run v1alpha1.AnalysisRun
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(all[i].Object, &run); err != nil {
			return fmt.Errorf("AnalysisRun %s: %w", all[i].GetName(), err)
		}
		w.runs[run.Name] = &run
		w.in.Runs = append(w.in.Runs, rollout.Run{Name: run.Name, Phase: run.Status.Phase, Message: run.Status.Message})
	}
	return nil
}

func analyses(ro *v1alpha1.Rollout) bool {
	c, s := ro.Spec.Strategy.Canary, &ro.Status.Canary
	for i := range c.Steps {
		if c.Steps[i].Analysis != nil {
			return true
		}
	}
	return c.Analysis != nil || s.CurrentStepAnalysisRunStatus != nil || s.CurrentBackgroundAnalysisRunStatus != nil
}

// readPods reads the pods while they are to be restarted.
func (w *world) readPods(ctx context.Context) error {
	s := &w.ro.Spec
	if s.RestartAt == nil || w.ro.Status.RestartedAt != nil && w.ro.Status.RestartedAt.Equal(s.RestartAt) {
		return nil
	}
	selector, err := metav1.LabelSelectorAsSelector(s.Selector)
	if err != nil {
		return fault.New(fault.Invalid, "spec.selector: %w", err)
	}
	all, err := w.All(ctx, podKind, w.key.Namespace, selector.String())
	if err != nil {
		return err
	}
	for i := range all {
		if owner := metav1.GetControllerOf(&all[i]); owner == nil || w.typed[owner.Name] == nil || w.typed[owner.Name].UID != owner.UID {
			continue
		}
		var pod corev1.Pod
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(all[i].Object, &pod); err != nil {
			return fmt.Errorf("pod %s: %w", all[i].GetName(), err)
		}
		w.in.Pods = append(w.in.Pods, &pod)
	}
	return nil
}
