package lease

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestATemplateIsPostponedOnlyWhileACanaryRunsThatIsNotToBeSuperseded(t *testing.T) {
	const running = `{phase: Paused, stableRS: a, currentPodHash: b}`
	for name, c := range map[string]struct {
		policy, status string
		want           bool
	}{
		"queue":                  {"queue", running, true},
		"reject":                 {"reject", `{phase: Progressing, stableRS: a, currentPodHash: b}`, true},
		"restart":                {"restart", running, false},
		"nothing said":           {"", running, false},
		"the first revision":     {"queue", `{phase: Progressing, currentPodHash: b}`, false},
		"after it was promoted":  {"queue", `{phase: Healthy, stableRS: b, currentPodHash: b}`, false},
		"stable not yet healthy": {"queue", `{phase: Progressing, stableRS: b, currentPodHash: b}`, false},
		"aborted":                {"queue", `{phase: Degraded, stableRS: a, currentPodHash: b, abort: true}`, false},
		"degraded":               {"queue", `{phase: Degraded, stableRS: a, currentPodHash: b}`, false},
		"an abort is asked for":  {"queue", `{phase: Paused, stableRS: a, currentPodHash: b, abort: true}`, false},
		"a status of wrong type": {"queue", `{phase: 1, stableRS: [a]}`, false},
		"no status":              {"queue", `{}`, false},
	} {
		said := object(t, "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, annotations: {slipway.dev/supersede: '"+c.policy+"'}}\n")
		live := object(t, "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\nstatus: "+c.status+"\n")
		if got := Postponed(said, live); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
		held := map[string]bool{}
		for _, f := range (Lease{role: itself}).Fields(said, live) {
			if f.Postponed {
				part, _ := f.Path[1].(string)
				held[part] = true
			}
		}
		if held["template"] != c.want || held["strategy"] != c.want || len(held) > 2 {
			t.Errorf("%s: held %v", name, held)
		}
	}
	if Postponed(&unstructured.Unstructured{}, &unstructured.Unstructured{}) {
		t.Error("of nothing")
	}
}
