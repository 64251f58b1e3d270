package analysis

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	strict "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// EvidenceNote is the annotation with our own settings, on a template and, merged, on its runs: YAML, by the name of a
// metric.
//
//	slipway.dev/analysis: |
//	  success-rate: {noData: inconclusive, minSamples: 100, samplesQuery: "sum(increase(requests_total[5m]))", warmUp: 5m}
//
// They are no fields of the metric, because a CRD of Argo Rollouts' types would drop them.
const EvidenceNote = "slipway.dev/analysis"

// WeightNote is the annotation on a run that says when the traffic that it judges last changed, RFC 3339.
const WeightNote = "slipway.dev/weight-changed-at"

// NoData is the verdict on an answer without data: nothing, an empty list, or nothing but NaN.
type NoData string

// The verdicts. Unset is what Argo does: the conditions decide (an empty vector is an Error by result[0], NaN a failure
// by a successCondition and a success by a failureCondition alone).
const (
	NoDataArgo         NoData = ""
	NoDataInconclusive NoData = "inconclusive"
	NoDataFail         NoData = "fail"
	NoDataPass         NoData = "pass"
)

// Evidence is what a metric's answer must rest on.
type Evidence struct {
	NoData NoData `json:"noData,omitempty"`
	// MinSamples is the smallest number of samples that an answer may be judged by; fewer are no data, and inconclusive
	// where NoData is unset. They are counted by SamplesQuery, a query that gives one number, or else are the values of
	// the answer.
	MinSamples   int    `json:"minSamples,omitempty"`
	SamplesQuery string `json:"samplesQuery,omitempty"`
	// WarmUp is how long after each change of the weight nothing is measured: a query's window should lie fully after it.
	WarmUp v1alpha1.DurationString `json:"warmUp,omitempty"`
}

// maxWarmUp bounds what a run can be made to wait.
const maxWarmUp = 24 * time.Hour

// warmUp is WarmUp as a duration; it was checked when it was decoded.
func (e Evidence) warmUp() time.Duration {
	d, err := e.WarmUp.Duration()
	if err != nil {
		return 0
	}
	return d
}

// decodeEvidence reads the annotation and checks it against the metrics that it is for.
func decodeEvidence(note string, metrics []v1alpha1.Metric) (map[string]Evidence, error) {
	if note == "" {
		return nil, nil
	}
	var all map[string]Evidence
	data, err := yaml.YAMLToJSONStrict([]byte(note))
	if err != nil {
		return nil, fmt.Errorf("is not YAML: %.300s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	unknown, err := strict.UnmarshalStrict(data, &all)
	if err = errors.Join(append(unknown, err)...); err != nil {
		return nil, fmt.Errorf("is not what it should be: %.300s", strings.ReplaceAll(err.Error(), "\n", " "))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !slices.ContainsFunc(metrics, func(m v1alpha1.Metric) bool { return m.Name == name }) {
			return nil, fmt.Errorf("%.80q: there is no metric of that name", name)
		}
		if err := all[name].check(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

func (e Evidence) check() error {
	switch e.NoData {
	case NoDataArgo, NoDataInconclusive, NoDataFail, NoDataPass:
	default:
		return fmt.Errorf("noData: %.80q is not inconclusive, fail or pass", e.NoData)
	}
	if e.MinSamples < 0 {
		return fmt.Errorf("minSamples: %d is negative", e.MinSamples)
	}
	if e.SamplesQuery != "" && e.MinSamples == 0 {
		return fmt.Errorf("samplesQuery: has no use without minSamples")
	}
	if e.WarmUp != "" {
		if d, err := e.WarmUp.Duration(); err != nil || d < 0 || d > maxWarmUp {
			return fmt.Errorf("warmUp: %.80q is not a duration from 0 to %s", e.WarmUp, maxWarmUp)
		}
	}
	return nil
}

// encodeEvidence is the annotation of a run, "" where there is nothing to say.
func encodeEvidence(all map[string]Evidence) (string, error) {
	if len(all) == 0 {
		return "", nil
	}
	note, err := json.Marshal(all)
	return string(note), err
}

// WeightChanged notes on a run that the weight of what it judges was changed at that time, and has been verified. The
// metrics with a warm-up wait from there.
func WeightChanged(run *v1alpha1.AnalysisRun, at time.Time) {
	metav1.SetMetaDataAnnotation(&run.ObjectMeta, WeightNote, at.UTC().Format(time.RFC3339Nano))
}

// warmAt is when a metric may be measured again after the last change of the weight.
func warmAt(run *v1alpha1.AnalysisRun, e Evidence) (time.Time, error) {
	note := run.Annotations[WeightNote]
	if note == "" || e.WarmUp == "" {
		return time.Time{}, nil
	}
	changed, err := time.Parse(time.RFC3339Nano, note)
	if err != nil {
		return time.Time{}, fmt.Errorf("annotation %s: %.40q is not a time", WeightNote, note)
	}
	return changed.Add(e.warmUp()), nil
}
