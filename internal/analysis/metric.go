package analysis

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// limits are the numbers of a metric, with the defaults of those that it does not give.
type limits struct {
	count              int // 0 is none
	failure            int // -1 is off
	inconclusive       int
	consecutiveError   int
	consecutiveSuccess int // 0 is off
}

// limitsOf reads a metric's numbers. Argo takes a text that is no number for 0; here it is an error by the field's name.
func limitsOf(m v1alpha1.Metric) (limits, problems) {
	l := limits{consecutiveError: errorLimit}
	var wrong problems
	for _, f := range []struct {
		name string
		from *intstr.IntOrString
		to   *int
		min  int
	}{
		{"count", m.Count, &l.count, 0},
		{"failureLimit", m.FailureLimit, &l.failure, -1},
		{"inconclusiveLimit", m.InconclusiveLimit, &l.inconclusive, 0},
		{"consecutiveErrorLimit", m.ConsecutiveErrorLimit, &l.consecutiveError, 0},
		{"consecutiveSuccessLimit", m.ConsecutiveSuccessLimit, &l.consecutiveSuccess, 0},
	} {
		if f.from == nil {
			continue
		}
		n, err := whole(*f.from)
		switch {
		case err != nil:
			wrong.add(f.name, "%.40q is not a whole number", f.from.StrVal)
		case n < f.min:
			wrong.add(f.name, "%d is less than %d", n, f.min)
		default:
			*f.to = n
		}
	}
	return l, wrong
}

func whole(v intstr.IntOrString) (int, error) {
	if v.Type == intstr.Int {
		return int(v.IntVal), nil
	}
	n, err := strconv.ParseInt(v.StrVal, 10, 32)
	return int(n), err
}

// check is what a controller of Argo's would answer to the numbers (utils/analysis/factory.go, ValidateMetric).
func (l limits) check(m v1alpha1.Metric) problems {
	var wrong problems
	switch {
	case l.consecutiveSuccess == 0 && l.failure == -1:
		wrong.add("failureLimit", "is off, and so is consecutiveSuccessLimit: one of them must be on")
	case l.count == 0: // no count, or as long as nobody ends it
	case l.count < max(l.failure, 0)+l.consecutiveSuccess:
		wrong.add("count", "%d is less than failureLimit + consecutiveSuccessLimit (%d + %d)", l.count, max(l.failure, 0), l.consecutiveSuccess)
	case l.count < l.inconclusive:
		wrong.add("count", "%d is less than inconclusiveLimit (%d)", l.count, l.inconclusive)
	case l.count > 1 && m.Interval == "":
		wrong.add("interval", "missing, and count is %d", l.count)
	}
	return wrong
}

// effectiveCount is how many measurements end a metric; 0 is none, it is measured until the run is terminated.
func (l limits) effectiveCount(m v1alpha1.Metric) int {
	if l.count == 0 && m.Interval == "" {
		return 1
	}
	return l.count
}

// impliedCount is the count of an inline metric that has an interval and no count. Argo refuses it, since it would never
// end (pkg/apis/rollouts/validation/validation_references.go). It is 2 x failureLimit + 1, so that more than half of the
// measurements pass, and more where the other limits need it.
func (l limits) impliedCount() int {
	failure := max(l.failure, 0)
	return max(2*failure+1, failure+l.consecutiveSuccess, l.inconclusive)
}

// checkMetrics reports what is wrong with metrics by path. What holds an argument is checked when that has its value.
func checkMetrics(path string, metrics []v1alpha1.Metric) problems {
	var wrong problems
	seen := map[string]bool{}
	for i, m := range metrics {
		at := fmt.Sprintf("%s[%d]", path, i)
		if seen[m.Name] {
			wrong.add(at+".name", "%q is there twice", m.Name)
		}
		seen[m.Name] = true
		for _, w := range checkMetric(m) {
			wrong = append(wrong, at+"."+w)
		}
	}
	return wrong
}

func checkMetric(m v1alpha1.Metric) problems {
	var wrong problems
	if m.Name == "" {
		wrong.add("name", "missing")
	}
	if templated(m.Name) {
		wrong.add("name", "an argument is not supported in a name")
	}
	if !templatedNumbers(m) {
		l, bad := limitsOf(m)
		if len(bad) == 0 {
			bad = l.check(m)
		}
		wrong = append(wrong, bad...)
	}
	for _, d := range []struct {
		name  string
		value v1alpha1.DurationString
		least time.Duration
	}{{"interval", m.Interval, 1}, {"initialDelay", m.InitialDelay, 0}} {
		if d.value == "" || templated(string(d.value)) {
			continue
		}
		// Argo measures without a pause when the interval is 0.
		if v, err := d.value.Duration(); err != nil || v < d.least {
			wrong.add(d.name, "%.40q is not a duration as 30s or 5m", d.value)
		}
	}
	for _, c := range [][2]string{{"successCondition", m.SuccessCondition}, {"failureCondition", m.FailureCondition}} {
		if c[1] == "" || templated(c[1]) {
			continue
		}
		if err := checkCondition(c[1]); err != nil {
			wrong.add(c[0], "%s", err)
		}
	}
	for _, w := range checkProvider(m.Provider) {
		wrong = append(wrong, "provider"+w)
	}
	return wrong
}

func templated(s string) bool { return strings.Contains(s, open) }

func templatedNumbers(m v1alpha1.Metric) bool {
	for _, v := range []*intstr.IntOrString{
		m.Count, m.FailureLimit, m.InconclusiveLimit, m.ConsecutiveErrorLimit, m.ConsecutiveSuccessLimit,
	} {
		if v != nil && templated(v.StrVal) {
			return true
		}
	}
	return templated(string(m.Interval))
}
