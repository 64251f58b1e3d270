package workload

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// behavior is how a pod answers.
type behavior struct {
	errors float64       // share of requests answered with 500, 0 to 1
	median time.Duration // of the time to answer
}

// usualMedian is that of a pod whose image says nothing.
const usualMedian = 20 * time.Millisecond

var (
	badSuffix  = regexp.MustCompile(`-bad(\d{1,3})(-|$)`)  // per cent
	slowSuffix = regexp.MustCompile(`-slow(\d{1,5})(-|$)`) // milliseconds
)

// behaviorOf reads an image's tag: v2-bad20 fails one request in five, v2-bad20-slow300 takes 300 ms, too. A tag that
// says nothing never fails.
func behaviorOf(tag string) behavior {
	b := behavior{median: usualMedian}
	if n, ok := number(badSuffix, tag); ok {
		b.errors = min(float64(n)/100, 1)
	}
	if n, ok := number(slowSuffix, tag); ok {
		b.median = time.Duration(n) * time.Millisecond
	}
	return b
}

func number(suffix *regexp.Regexp, tag string) (int, bool) {
	m := suffix.FindStringSubmatch(tag)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}

// tag is that of the image of a pod's first container; latest when it has none, as a runtime reads it.
func tag(p *corev1.Pod) string {
	if len(p.Spec.Containers) == 0 {
		return ""
	}
	image, _, _ := strings.Cut(p.Spec.Containers[0].Image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		return image[i+1:]
	}
	return "latest"
}
