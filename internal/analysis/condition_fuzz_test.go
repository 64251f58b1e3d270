package analysis

import (
	"strings"
	"testing"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
)

func FuzzAConditionGivesAPhaseOrAnErrorAndEnds(f *testing.F) {
	for _, tc := range judged {
		f.Add(tc.success, tc.failure, 0.5)
	}
	f.Add("map(map(result, # + #), # > 1) == [true]", "result[0", nan)
	f.Fuzz(func(t *testing.T, success, failure string, value float64) {
		for _, result := range []any{nil, value, []float64{}, []float64{value, -value}} {
			m := v1alpha1.Metric{SuccessCondition: success, FailureCondition: failure}
			phase, err := conditions(m, result)
			switch {
			case (err != nil) != (phase == errs):
				t.Fatalf("%s with %v", phase, err)
			case !phase.Completed():
				t.Fatalf("phase %q", phase)
			case err != nil && strings.Contains(err.Error(), "\n |"):
				t.Fatalf("an error with a picture: %q", err)
			case phase == inconclusive && (success == "" || failure == ""):
				t.Fatal("inconclusive by one condition")
			}
		}
	})
}
