package analysis

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// revisionNote is the annotation with a Rollout's revision, on the Rollout and on what belongs to it.
const revisionNote = "rollout.argoproj.io/revision"

// Occasion is when a Rollout asks for an analysis, in the word of the label rollout-type.
type Occasion string

// The occasions.
const (
	Step          Occasion = v1alpha1.RolloutTypeStepLabel
	Background    Occasion = v1alpha1.RolloutTypeBackgroundRunLabel
	PrePromotion  Occasion = v1alpha1.RolloutTypePrePromotionLabel
	PostPromotion Occasion = v1alpha1.RolloutTypePostPromotionLabel
)

// Request is what a run is made of.
type Request struct {
	Subject
	Occasion  Occasion
	Index     int32 // of the step, at a Step
	Analysis  v1alpha1.RolloutAnalysis
	Templates []Template // those that Analysis names, as Collect gives them
}

// NewRun is the AnalysisRun of a request as Argo Rollouts would create it (rollout/analysis.go,
// newAnalysisRunFromRollout): its name, labels, annotations and owner, and the templates merged and with their
// arguments. A metric with an interval and no count gets one, but in the background; that and what else a user should
// know are warnings, a line each. The error is of kind fault.Invalid and names all that is wrong, by path.
func NewRun(req Request) (*v1alpha1.AnalysisRun, []string, error) {
	what := fmt.Sprintf("Rollout %s: %s analysis", req.Rollout.Name, strings.ToLower(string(req.Occasion)))
	spec, evidence, wrong := merge(req.Templates)
	passed, bad := req.values(req.Analysis.Args)
	wrong = append(wrong, bad...)
	args, warnings, bad := mergeArgs(passed, spec.Args)
	wrong = append(wrong, bad...)
	if len(wrong) > 0 {
		return nil, nil, wrong.err(what)
	}
	run := &v1alpha1.AnalysisRun{
		TypeMeta:   metav1.TypeMeta{APIVersion: apiVersion, Kind: "AnalysisRun"},
		ObjectMeta: req.meta(),
		Spec: v1alpha1.AnalysisRunSpec{
			Metrics:              spec.Metrics,
			Args:                 args,
			DryRun:               slices.Concat(req.Analysis.DryRun, spec.DryRun),
			MeasurementRetention: slices.Concat(req.Analysis.MeasurementRetention, spec.MeasurementRetention),
		},
	}
	note, err := encodeEvidence(evidence)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: write %s: %w", what, EvidenceNote, err)
	}
	if note != "" {
		run.Annotations[EvidenceNote] = note
	}
	warnings = append(warnings, implyCounts(run, req.Occasion)...)
	wrong = append(wrong, checkRules(v1alpha1.AnalysisTemplateSpec{DryRun: run.Spec.DryRun, MeasurementRetention: run.Spec.MeasurementRetention})...)
	if _, err := read(run); err != nil {
		wrong.add("spec", "%s", err)
	}
	if len(wrong) > 0 {
		return nil, nil, wrong.err(what)
	}
	return run, append(warnings, doubts(run, evidence)...), nil
}

func (req Request) meta() metav1.ObjectMeta {
	r := req.Rollout
	revision := r.Annotations[revisionNote]
	name := []string{r.Name, req.Latest, revision}
	labels := map[string]string{
		v1alpha1.DefaultRolloutUniqueLabelKey: req.Latest,
		v1alpha1.RolloutTypeLabel:             string(req.Occasion),
	}
	switch req.Occasion {
	case Step:
		index := strconv.Itoa(int(req.Index))
		name = append(name, index)
		labels[v1alpha1.RolloutCanaryStepIndexLabel] = index
	case PrePromotion:
		name = append(name, "pre")
	case PostPromotion:
		name = append(name, "post")
	case Background:
	}
	if id := r.Labels[v1alpha1.LabelKeyControllerInstanceID]; id != "" {
		labels[v1alpha1.LabelKeyControllerInstanceID] = id
	}
	notes := map[string]string{revisionNote: revision}
	if m := req.Analysis.AnalysisRunMetadata; m != nil {
		maps.Copy(labels, m.Labels)
		maps.Copy(notes, m.Annotations)
	}
	if r.Spec.Selector != nil {
		maps.Copy(labels, r.Spec.Selector.MatchLabels)
	}
	owner := metav1.NewControllerRef(r, schema.GroupVersionKind{Group: "argoproj.io", Version: "v1alpha1", Kind: "Rollout"})
	return metav1.ObjectMeta{
		Name: strings.Join(name, "-"), Namespace: r.Namespace, Labels: labels, Annotations: notes,
		OwnerReferences: []metav1.OwnerReference{*owner},
	}
}

// Again is the name of the nth run after the first of that name: <name>.<n> (utils/analysis/helpers.go,
// CreateWithCollisionCounter). A run that is not completed is the one to go on with instead.
func Again(name string, n int) string { return fmt.Sprintf("%s.%d", name, n) }

// implyCounts gives each metric that would be measured for ever a count, and says so.
func implyCounts(run *v1alpha1.AnalysisRun, occasion Occasion) []string {
	if occasion == Background {
		return nil
	}
	var warnings []string
	for i, m := range run.Spec.Metrics {
		filled, err := fill(m, withoutSecrets(run.Spec.Args))
		if err != nil {
			continue // read reports it
		}
		l, wrong := limitsOf(filled)
		if len(wrong) > 0 || l.effectiveCount(filled) != 0 {
			continue
		}
		n := l.impliedCount()
		run.Spec.Metrics[i].Count = whole32(n)
		warnings = append(warnings, fmt.Sprintf(
			"metric %s: has an interval and no count, and a step waits for its end: it is measured %d times (2 x failureLimit + 1)", m.Name, n))
	}
	return warnings
}

var window = regexp.MustCompile(`\[(\d+(?:ms|[smhdw]))[\]:]`)

// doubts are warnings of what Argo accepts and what may promote a bad version or abort a good one (argo-rollouts.md 6.5, 6.6).
func doubts(run *v1alpha1.AnalysisRun, evidence map[string]Evidence) []string {
	var out []string
	for _, m := range run.Spec.Metrics {
		e := evidence[m.Name]
		warn := func(format string, args ...any) {
			out = append(out, "metric "+m.Name+": "+fmt.Sprintf(format, args...))
		}
		switch {
		case m.SuccessCondition == "" && m.FailureCondition == "":
			warn("has no condition: every answer passes")
		case m.SuccessCondition == "" && e.NoData == NoDataArgo:
			warn("has a failureCondition alone: NaN passes; noData in annotation %s says otherwise", EvidenceNote)
		}
		if m.Provider.Prometheus == nil {
			continue
		}
		if m.Provider.Prometheus.Insecure {
			warn("insecure: whoever is between may decide what is measured")
		}
		if w := window.FindStringSubmatch(m.Provider.Prometheus.Query); w != nil && longer(w[1], e.warmUp()) {
			warn("looks back %s: without a pause of that length it sees traffic from before the last change of the weight; warmUp in annotation %s waits", w[1], EvidenceNote)
		}
	}
	return out
}

// longer says that a duration of PromQL is longer than d.
func longer(s string, d time.Duration) bool {
	unit := strings.TrimLeft(s, "0123456789")
	n, err := strconv.ParseInt(strings.TrimSuffix(s, unit), 10, 32)
	each := map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 168 * time.Hour,
	}[unit]
	return err == nil && time.Duration(n)*each > d
}
