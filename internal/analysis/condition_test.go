package analysis

import (
	"fmt"
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

const (
	passes       = v1alpha1.AnalysisPhaseSuccessful
	fails        = v1alpha1.AnalysisPhaseFailed
	inconclusive = v1alpha1.AnalysisPhaseInconclusive
	errs         = v1alpha1.AnalysisPhaseError
)

// judged are the rules of Argo Rollouts on one measurement: a result, the conditions, what comes of it. Its own evaluator
// (v1.9.1, utils/evaluate) gives the same for each, but that its older language has no max and min of a list.
var judged = []struct {
	result           any
	success, failure string
	want             v1alpha1.AnalysisPhase
}{
	// no condition: every answer passes
	{0.5, "", "", passes}, {nan, "", "", passes}, {[]float64{}, "", "", passes}, {nil, "", "", passes},
	// success alone: failed is what is not success
	{0.99, "result >= 0.95", "", passes}, {0.9, "result >= 0.95", "", fails}, {0.95, "result >= 0.95", "", passes},
	{[]float64{0.99}, "result[0] >= 0.95", "", passes}, {[]float64{0.9}, "result[0] >= 0.95", "", fails},
	// failure alone: success is what is not failure
	{0.2, "", "result > 0.05", fails}, {0.01, "", "result > 0.05", passes},
	{[]float64{0.2}, "", "result[0] > 0.05", fails}, {[]float64{0.01}, "", "result[0] > 0.05", passes},
	// both: failure first, then success, else inconclusive
	{0.99, "result > 0.95", "result < 0.9", passes}, {0.8, "result > 0.95", "result < 0.9", fails},
	{0.92, "result > 0.95", "result < 0.9", inconclusive}, {0.99, "true", "true", fails}, {0.99, "false", "false", inconclusive},
	// NaN: every comparison is false
	{nan, "result >= 0.95", "", fails}, {nan, "result < 0.95", "", fails}, {nan, "", "result < 0.95", passes},
	{nan, "", "result >= 0.95", passes}, {nan, "result >= 0.95", "result < 0.9", inconclusive},
	{[]float64{nan}, "result[0] >= 0.95", "", fails}, {[]float64{nan}, "", "result[0] < 0.95", passes},
	{[]float64{nan}, "result[0] >= 0.95", "result[0] < 0.9", inconclusive},
	{nan, "result == result", "", fails}, {nan, "result != result", "", passes}, {nan, "not (result < 0.95)", "", passes},
	{nan, "isNaN(result)", "", passes}, {0.1, "isNaN(result)", "", fails}, {[]float64{nan}, "isNaN(result[0])", "", passes},
	{nan, "isNaN(result) || result >= 0.95", "", passes}, {nan, "", "isNaN(result) || result < 0.95", fails},
	{nan, "!isNaN(result) && result > 0", "", fails},
	// infinity
	{inf, "isInf(result)", "", passes}, {-inf, "isInf(result)", "", passes}, {1.0, "isInf(result)", "", fails},
	{inf, "result > 1", "", passes}, {-inf, "result > 1", "", fails}, {nan, "isInf(result)", "", fails},
	{[]float64{inf}, "isInf(result[0])", "", passes}, {inf, "result == result", "", passes},
	// an empty vector: reading from it is an error
	{[]float64{}, "result[0] >= 0.95", "", errs}, {[]float64{}, "", "result[0] >= 0.95", errs},
	{[]float64{}, "len(result) == 0 || result[0] >= 0.95", "", passes}, {[]float64{0.9}, "len(result) == 0 || result[0] >= 0.95", "", fails},
	{[]float64{0.99}, "len(result) == 0 || result[0] >= 0.95", "", passes}, {[]float64{}, "len(result) > 0", "", fails},
	{[]float64{}, "all(result, # > 0.95)", "", passes}, {[]float64{}, "any(result, # > 0.95)", "", fails},
	{[]float64{}, "isNil(result)", "", fails}, {[]float64{1}, "result[1] > 0", "", errs}, {[]float64{1, 2}, "result[-1] == 2", "", passes},
	{[]float64{}, "result[0] >= 0.95", "true", errs}, {[]float64{}, "true", "result[0] >= 0.95", errs},
	{[]float64{}, "default(result, 1) == 1", "", fails}, // an empty list is not nil
	// nil
	{nil, "isNil(result)", "", passes}, {nil, "result == nil", "", passes}, {0.5, "isNil(result)", "", fails},
	{nil, "default(result, 0) < 0.05", "", passes}, {0.5, "default(result, 0) < 0.05", "", fails}, {nil, "result > 0.5", "", errs},
	{nil, "result[0] > 0.5", "", errs}, {nil, "", "default(result, 1) > 0.5", fails}, {nil, "len(result) == 0", "", errs},
	{nil, "asFloat(default(result, 0.5)) > 0.1", "", passes},
	// panics
	{nil, "asInt(result) > 0", "", errs}, {nil, "asFloat(result) > 0", "", errs}, {[]float64{1}, "asInt(result) > 0", "", errs},
	{1.9, "asInt(result) == 1", "", passes}, {1.0, `asInt("12") == 12`, "", passes}, {1.0, `asInt("1.5") == 1`, "", errs},
	{1.0, `asFloat("1.5") == 1.5`, "", passes}, {1.0, `asFloat("x") == 1.5`, "", errs}, {1.0, "asFloat(true) == 1", "", errs},
	{1.0, "asInt(2) == 2", "", passes}, {1.0, "asFloat(2) == 2.0", "", passes}, {nan, "asFloat(result) > 0", "", fails},
	{0.0, "1 / asInt(result) > 0", "", passes}, {0.0, "7 % asInt(result) > 0", "", errs},
	// wrong types
	{0.99, "result", "", errs}, {0.99, "result + 1", "", errs}, {0.99, `"true"`, "", errs}, {0.99, "nil", "", errs},
	{0.99, "result[0] >= 0.95", "", errs}, {[]float64{0.99}, "result >= 0.95", "", errs}, {[]float64{0.99}, "isNaN(result)", "", errs},
	{0.99, "result.rate > 0", "", errs}, {0.99, `result == "0.99"`, "", errs}, {0.99, "now()", "", errs},
	// no expressions
	{0.99, "result >=", "", errs}, {0.99, "outcome > 1", "", errs}, {0.99, "result = 1", "", errs}, {0.99, "os.Exit(1)", "", errs},
	{0.99, "result > 0.5 result", "", errs}, {0.99, "env", "", errs}, {0.99, "$env == nil", "", fails},
	// lists
	{[]float64{1, 0.9}, "all(result, # >= 0.95)", "", fails}, {[]float64{1, 0.96}, "all(result, {# >= 0.95})", "", passes},
	{[]float64{1, 2, 3}, "len(filter(result, # > 1)) == 2", "", passes}, {[]float64{1, 2, 3}, "sum(result) == 6", "", passes},
	{[]float64{1, 2, 3}, "mean(result) == 2", "", passes}, {[]float64{1, 2, 3}, "max(result) - min(result) > 1.5", "", passes},
	{[]float64{1, 2, 3}, "any(map(result, # + 1), # == 4)", "", passes}, {[]float64{1, 2}, "result[0] < result[1]", "", passes},
	{[]float64{1, 2}, "count(result, # > 0) == 2", "", passes}, {[]float64{1, nan}, "none(result, isNaN(#))", "", fails},
	{[]float64{3, 1}, "sort(result)[0] == 1", "", passes}, {[]float64{1, 2}, "any(0..1, result[#] == 2)", "", passes},
	{[]float64{1}, "1.0 in result", "", passes}, {[]float64{1, 2, 3}, "len(result[1:]) == 2", "", passes},
	// arithmetic and logic
	{0.5, "result * 100 == 50", "", passes}, {4.0, "result ** 2 == 16", "", passes}, {0.5, "(result > 0.4) ? true : false", "", passes},
	{0.5, "result > 0 and not (result > 1)", "", passes}, {0.5, "-result < 0", "", passes}, {0.5, "0.4 <= result && result <= 0.6", "", passes},
	{2.0, "result in [1, 2]", "", passes}, {0.5, "result / 0 > 1", "", passes}, {0.0, "result / 0 > 1", "", fails}, {0.5, "round(result) == 1", "", passes},
}

func TestAMeasurementIsJudgedAsArgoJudgesIt(t *testing.T) {
	if len(judged) < 120 {
		t.Fatalf("%d cases", len(judged))
	}
	for _, tc := range judged {
		t.Run(fmt.Sprintf("%v %s | %s", tc.result, tc.success, tc.failure), func(t *testing.T) {
			m := v1alpha1.Metric{SuccessCondition: tc.success, FailureCondition: tc.failure}
			got, err := conditions(m, tc.result)
			if got != tc.want {
				t.Errorf("%s, want %s (%v)", got, tc.want, err)
			}
			if (err != nil) != (tc.want == errs) {
				t.Errorf("%s with error %v", got, err)
			}
		})
	}
}

func TestAnErrorOfAConditionSaysWhichAndWhy(t *testing.T) {
	for condition, want := range map[string]string{
		"result[0] > 1":                    "index out of range",
		"result[":                          "unexpected token EOF",
		"len(result)":                      "expected bool, but got int",
		"all(result, #) > 1":               "",
		`asInt("x") == 1`:                  `parsing "x": invalid syntax`,
		"asInt(result) == 1":               "asInt() not supported on []float64 []",
		strings.Repeat("!", 5000) + "true": "longer than 4096 bytes",
	} {
		_, err := conditions(v1alpha1.Metric{FailureCondition: condition}, []float64{})
		if err == nil || !strings.HasPrefix(err.Error(), "failureCondition: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", condition, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40s: more than a line: %q", condition, err)
		}
	}
}

func TestAConditionIsCheckedBeforeThereIsAResult(t *testing.T) {
	for condition, want := range map[string]string{
		"result[0] >= 0.99": "", "result >= 0.99": "", "isNaN(result)": "", "result": "", "default(result, 0) < 0.5": "",
		"result.data.rate > asFloat(result.least)": "", "all(result, # > 0)": "", `result == "ok"`: "",
		"result >=": "unexpected token EOF", "outcome > 1": "unknown name outcome", "len(result)": "is a int, not true or false",
		`"yes"`: "is a string, not true or false", "asInt(result)": "is a int64, not true or false",
	} {
		err := checkCondition(condition)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", condition, err, want)
		}
	}
	for _, tc := range judged { // what is refused without a result is never judged with one
		for _, condition := range []string{tc.success, tc.failure} {
			if condition == "" || checkCondition(condition) == nil {
				continue
			}
			if out, err := holds(condition, tc.result); err == nil {
				t.Errorf("%s: refused, and gives %v for %v", condition, out, tc.result)
			}
		}
	}
}
