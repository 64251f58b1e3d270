package local

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/rollout"
)

// Rollout is one Rollout as people see it: what its status says, its pods and analyses, and what the record knows beyond.
type Rollout struct {
	Rollout   string        `json:"rollout"` // cluster/namespace/name
	Phase     string        `json:"phase"`   // as its status has it; "" before anything was done
	Message   string        `json:"message,omitempty"`
	Step      int           `json:"step"` // of Steps, those that are done
	Steps     int           `json:"steps"`
	SetWeight int32         `json:"setWeight"`
	Weight    int32         `json:"weight"` // that the canary has: by the router, or by its share of the pods
	Replicas  int32         `json:"replicas"`
	Sets      []ReplicaSet  `json:"sets,omitempty"`     // with pods, or current; newest first
	Analyses  []Analysis    `json:"analyses,omitempty"` // of the current revision, newest first
	Stage     record.Stage  `json:"stage,omitempty"`
	Execution string        `json:"execution,omitempty"`
	Origin    record.Origin `json:"origin,omitzero"`
	Why       string        `json:"why,omitempty"` // it was rolled back, or is being
	Revision  string        `json:"revision,omitempty"`
	Rejected  []string      `json:"rejected,omitempty"`
}

// ReplicaSet is one revision's pods.
type ReplicaSet struct {
	Name      string `json:"name"`
	Revision  int    `json:"revision"`
	Role      string `json:"role,omitempty"` // stable, canary
	Image     string `json:"image,omitempty"`
	Replicas  int32  `json:"replicas"`
	Available int32  `json:"available"`
}

// Analysis is one AnalysisRun.
type Analysis struct {
	Name    string   `json:"name"`
	Phase   string   `json:"phase"`
	Message string   `json:"message,omitempty"`
	Metrics []Metric `json:"metrics,omitempty"`
	begun   time.Time
}

// Metric is one metric of an AnalysisRun and its last measurement.
type Metric struct {
	Name       string    `json:"name"`
	Phase      string    `json:"phase"`
	Successful int32     `json:"successful,omitempty"`
	Failed     int32     `json:"failed,omitempty"`
	Errors     int32     `json:"errors,omitempty"`
	Unclear    int32     `json:"inconclusive,omitempty"`
	Value      string    `json:"value,omitempty"`
	At         time.Time `json:"at,omitzero"`
}

// viewRollout puts together what is known of a Rollout. sets and runs may be those of others too.
func viewRollout(rec record.Rollout, ro *v1alpha1.Rollout, sets []appsv1.ReplicaSet, runs []v1alpha1.AnalysisRun) Rollout {
	s := &ro.Status
	v := Rollout{
		Rollout: rec.Rollout, Phase: string(s.Phase), Message: s.Message, Replicas: rollout.Replicas(ro),
		Stage: rec.Stage, Execution: rec.Execution, Origin: rec.Origin, Why: rec.Why, Revision: rec.Revision, Rejected: rec.Rejected,
	}
	for i := range sets {
		rs := &sets[i]
		if !metav1.IsControlledBy(rs, ro) {
			continue
		}
		if one := viewSet(rs, s); one.Replicas > 0 || one.Role != "" {
			v.Sets = append(v.Sets, one)
		}
	}
	slices.SortFunc(v.Sets, func(a, b ReplicaSet) int { return cmp.Compare(b.Revision, a.Revision) })
	v.progress(ro)
	for i := range runs {
		if run := &runs[i]; metav1.IsControlledBy(run, ro) && run.Labels[v1alpha1.DefaultRolloutUniqueLabelKey] == s.CurrentPodHash {
			v.Analyses = append(v.Analyses, viewAnalysis(run))
		}
	}
	slices.SortFunc(v.Analyses, func(a, b Analysis) int { return cmp.Or(b.begun.Compare(a.begun), cmp.Compare(a.Name, b.Name)) })
	return v
}

// progress is step and weights, as kubectl's plugin shows them (pkg/kubectl-argo-rollouts/info/rollout_info.go).
func (v *Rollout) progress(ro *v1alpha1.Rollout) {
	c, s := ro.Spec.Strategy.Canary, &ro.Status
	if c == nil {
		return
	}
	v.Steps = len(c.Steps)
	if s.CurrentStepIndex != nil {
		v.Step = min(int(*s.CurrentStepIndex), v.Steps)
	}
	done := s.StableRS != "" && s.StableRS == s.CurrentPodHash
	if done || v.Step == v.Steps {
		v.SetWeight = 100
	}
	for i := v.Step; i >= 0 && v.Step < v.Steps && !done && !s.Abort; i-- {
		if w := c.Steps[i].SetWeight; w != nil {
			v.SetWeight = *w
			break
		}
	}
	switch all := s.AvailableReplicas; {
	case done:
		v.Weight = 100
	case s.Canary.Weights != nil:
		v.Weight = s.Canary.Weights.Canary.Weight
	case all > 0:
		for _, one := range v.Sets {
			if one.Role == "canary" {
				v.Weight = one.Available * 100 / all
			}
		}
	}
}

func viewSet(rs *appsv1.ReplicaSet, s *v1alpha1.RolloutStatus) ReplicaSet {
	one := ReplicaSet{Name: rs.Name, Available: rs.Status.AvailableReplicas, Replicas: 1}
	if rs.Spec.Replicas != nil {
		one.Replicas = *rs.Spec.Replicas
	}
	one.Revision, _ = strconv.Atoi(rs.Annotations["rollout.argoproj.io/revision"]) // 0 where somebody has broken it
	switch rs.Labels[v1alpha1.DefaultRolloutUniqueLabelKey] {
	case s.StableRS:
		one.Role = "stable"
	case s.CurrentPodHash:
		one.Role = "canary"
	}
	if all := rs.Spec.Template.Spec.Containers; len(all) > 0 {
		one.Image = all[0].Image
	}
	return one
}

func viewAnalysis(run *v1alpha1.AnalysisRun) Analysis {
	a := Analysis{Name: run.Name, Phase: string(run.Status.Phase), Message: run.Status.Message, begun: run.CreationTimestamp.Time}
	for _, r := range run.Status.MetricResults {
		m := Metric{Name: r.Name, Phase: string(r.Phase), Successful: r.Successful, Failed: r.Failed, Errors: r.Error, Unclear: r.Inconclusive}
		if n := len(r.Measurements); n > 0 {
			last := r.Measurements[n-1]
			m.Value = manifest.CleanText(last.Value, 200)
			if last.FinishedAt != nil {
				m.At = last.FinishedAt.Time
			}
		}
		a.Metrics = append(a.Metrics, m)
	}
	return a
}
