// Package analysis turns measurements into verdicts, by the rules of Argo Rollouts: AnalysisTemplates become an
// AnalysisRun, the run says what to measure next and when, each answer is judged by the metric's conditions, and the
// counts of what was judged end the metric and the run. Everything is in the AnalysisRun, so that any process can go on
// where another stopped. It asks no provider and reads no cluster itself: see Prometheus and Secrets for what it needs.
//
// The rules are those of argo-rollouts v1.9.1: analysis/analysis.go, utils/analysis, utils/evaluate, utils/template.
package analysis

import (
	"fmt"
	"strings"
	"time"

	"slipway/internal/fault"
)

const (
	// errorRetry is how long after an Error a metric is measured again, whatever its interval (analysis.go,
	// DefaultErrorRetryInterval).
	errorRetry = 10 * time.Second
	// keep is how many measurements of a metric a run remembers (analysis.go, DefaultMeasurementHistoryLimit).
	keep = 10
	// errorLimit is the number of errors in a row that are forgiven (utils/defaults, DefaultConsecutiveErrorLimit).
	errorLimit = 4
	// problemCap is how many problems one error names.
	problemCap = 20
)

// problems collects what is wrong, one line each: "spec.metrics[0].interval: ...".
type problems []string

func (p *problems) add(path, format string, args ...any) {
	*p = append(*p, path+": "+fmt.Sprintf(format, args...))
}

// err is all problems as one error of kind fault.Invalid, each line after what; nil where there are none.
func (p problems) err(what string) error {
	if len(p) == 0 {
		return nil
	}
	lines := make([]string, 0, problemCap+1)
	for _, line := range p[:min(len(p), problemCap)] {
		lines = append(lines, what+": "+line)
	}
	if more := len(p) - problemCap; more > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", what, more))
	}
	return fault.New(fault.Invalid, "%s", strings.Join(lines, "\n"))
}
