package analysis

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

// judge is the phase of a measurement with that result, by the metric's conditions, and the reason where they did not
// decide. An error is a measurement that could not be judged.
func judge(m v1alpha1.Metric, e Evidence, result any, samples float64) (v1alpha1.AnalysisPhase, string, error) {
	few := e.MinSamples > 0 && !(samples >= float64(e.MinSamples)) // NaN samples are few
	if none := noData(result); few || none && e.NoData != NoDataArgo {
		why := "no data"
		if !none {
			why = fmt.Sprintf("%s samples, fewer than minSamples (%d)", text(samples), e.MinSamples)
		}
		switch e.NoData {
		case NoDataFail:
			return v1alpha1.AnalysisPhaseFailed, why, nil
		case NoDataPass:
			return v1alpha1.AnalysisPhaseSuccessful, why, nil
		case NoDataArgo, NoDataInconclusive:
			return v1alpha1.AnalysisPhaseInconclusive, why, nil
		}
	}
	phase, err := conditions(m, result)
	return phase, "", err
}

// conditions judges by successCondition and failureCondition (utils/evaluate/evaluate.go, EvaluateResult).
func conditions(m v1alpha1.Metric, result any) (v1alpha1.AnalysisPhase, error) {
	var success, failure bool
	var err error
	if m.SuccessCondition != "" {
		if success, err = holds(m.SuccessCondition, result); err != nil {
			return v1alpha1.AnalysisPhaseError, fmt.Errorf("successCondition: %w", err)
		}
	}
	if m.FailureCondition != "" {
		if failure, err = holds(m.FailureCondition, result); err != nil {
			return v1alpha1.AnalysisPhaseError, fmt.Errorf("failureCondition: %w", err)
		}
	}
	switch {
	case m.SuccessCondition == "" && m.FailureCondition == "":
		return v1alpha1.AnalysisPhaseSuccessful, nil
	case m.SuccessCondition == "":
		success = !failure
	case m.FailureCondition == "":
		failure = !success
	}
	switch {
	case failure:
		return v1alpha1.AnalysisPhaseFailed, nil
	case success:
		return v1alpha1.AnalysisPhaseSuccessful, nil
	}
	return v1alpha1.AnalysisPhaseInconclusive, nil
}

// noData says that a result is nothing, an empty list, or nothing but NaN.
func noData(result any) bool {
	switch r := result.(type) {
	case nil:
		return true
	case float64:
		return math.IsNaN(r)
	case []float64:
		for _, f := range r {
			if !math.IsNaN(f) {
				return false
			}
		}
		return true
	}
	return false
}

// count is how many values a result has.
func count(result any) float64 {
	switch r := result.(type) {
	case nil:
		return 0
	case []float64:
		return float64(len(r))
	}
	return 1
}

// valueCap is how much of a value a measurement keeps: ten of them for each metric must fit into one object.
const valueCap = 2048

// value is a result as a measurement shows it: 0.99, or [0.99,NaN].
func value(result any) string {
	switch r := result.(type) {
	case float64:
		return text(r)
	case []float64:
		var out strings.Builder
		for i, f := range r {
			if out.Len() > valueCap {
				return fmt.Sprintf("[%s,... (%d values)]", out.String(), len(r))
			}
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(text(f))
		}
		return "[" + out.String() + "]"
	}
	return ""
}

// text is f as Prometheus writes a sample.
func text(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
