package analysis

import (
	"fmt"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

func TestAnAnswerWithoutDataIsJudgedByNoData(t *testing.T) {
	m := v1alpha1.Metric{SuccessCondition: "result[0] >= 0.95"}
	for _, tc := range []struct {
		result  any
		e       Evidence
		samples float64
		want    v1alpha1.AnalysisPhase
		message string
	}{
		{[]float64{}, Evidence{}, 0, errs, ""}, // Argo's rule
		{[]float64{nan}, Evidence{}, 1, fails, ""},
		{[]float64{}, Evidence{NoData: NoDataInconclusive}, 0, inconclusive, "no data"},
		{[]float64{}, Evidence{NoData: NoDataFail}, 0, fails, "no data"},
		{[]float64{}, Evidence{NoData: NoDataPass}, 0, passes, "no data"},
		{[]float64{nan, nan}, Evidence{NoData: NoDataInconclusive}, 2, inconclusive, "no data"},
		{nan, Evidence{NoData: NoDataPass}, 1, passes, "no data"},
		{nil, Evidence{NoData: NoDataFail}, 0, fails, "no data"},
		{[]float64{1, nan}, Evidence{NoData: NoDataFail}, 2, passes, ""},
		{[]float64{inf}, Evidence{NoData: NoDataFail}, 1, passes, ""},
		{[]float64{1}, Evidence{NoData: NoDataFail}, 1, passes, ""},
		{[]float64{0}, Evidence{NoData: NoDataPass}, 1, fails, ""},
		{[]float64{1}, Evidence{MinSamples: 100}, 99, inconclusive, "99 samples, fewer than minSamples (100)"},
		{[]float64{0}, Evidence{MinSamples: 100}, 99.5, inconclusive, "99.5 samples"},
		{[]float64{1}, Evidence{MinSamples: 100}, 100, passes, ""},
		{[]float64{0}, Evidence{MinSamples: 100, NoData: NoDataFail}, 100, fails, ""},
		{[]float64{1}, Evidence{MinSamples: 100, NoData: NoDataFail}, 5, fails, "5 samples"},
		{[]float64{0}, Evidence{MinSamples: 100, NoData: NoDataPass}, 5, passes, "5 samples"},
		{[]float64{1}, Evidence{MinSamples: 100}, nan, inconclusive, "NaN samples"},
		{[]float64{}, Evidence{MinSamples: 1}, 0, inconclusive, "no data"},
	} {
		t.Run(fmt.Sprintf("%v %+v %v", tc.result, tc.e, tc.samples), func(t *testing.T) {
			phase, message, err := judge(m, tc.e, tc.result, tc.samples)
			if phase != tc.want || (err != nil) != (tc.want == errs) || !strings.HasPrefix(message, tc.message) || tc.message == "" && message != "" {
				t.Errorf("%s %q %v", phase, message, err)
			}
		})
	}
}

func TestAValueIsShownAsArgoShowsIt(t *testing.T) {
	for want, result := range map[string]any{
		"0.99": 0.99, "NaN": nan, "+Inf": inf, "-Inf": -inf, "1000000": 1e6, "0.0000001": 1e-7, "[]": []float64{}, "[1,0.5,NaN]": []float64{1, 0.5, nan}, "": nil,
	} {
		if got := value(result); got != want {
			t.Errorf("%v: %q", result, got)
		}
	}
	long := value(make([]float64, 5000))
	if len(long) > 2*valueCap || !strings.HasSuffix(long, ",... (5000 values)]") {
		t.Errorf("%d: %s", len(long), long[len(long)-40:])
	}
}
