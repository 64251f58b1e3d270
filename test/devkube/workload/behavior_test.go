package workload

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestATagSaysHowItsPodsAnswer(t *testing.T) {
	for tag, want := range map[string]behavior{
		"v1":               {0, usualMedian},
		"":                 {0, usualMedian},
		"v2-bad20":         {.2, usualMedian},
		"v2-bad0":          {0, usualMedian},
		"v2-bad100":        {1, usualMedian},
		"v2-bad999":        {1, usualMedian}, // more than all cannot fail
		"v2-slow300":       {0, 300 * time.Millisecond},
		"v2-bad20-slow300": {.2, 300 * time.Millisecond},
		"v2-slow300-bad5":  {.05, 300 * time.Millisecond},
		"v2-badge20":       {0, usualMedian},
		"v2-bad20x":        {0, usualMedian},
		"bad20":            {0, usualMedian}, // a suffix, not a name
	} {
		if got := behaviorOf(tag); got != want {
			t.Errorf("%q: %+v, want %+v", tag, got, want)
		}
	}
}

func TestTheTagIsTheFirstContainersImages(t *testing.T) {
	for image, want := range map[string]string{
		"web:v1":                               "v1",
		"web":                                  "latest",
		"registry.example:5000/web":            "latest",
		"registry.example:5000/web:v2-bad20":   "v2-bad20",
		"registry.example/web:v2@sha256:abcde": "v2",
	} {
		p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Image: image}, {Image: "proxy:v9"}}}}
		if got := tag(p); got != want {
			t.Errorf("%s: %q, want %q", image, got, want)
		}
	}
	if got := tag(&corev1.Pod{}); got != "" {
		t.Errorf("no container: %q", got)
	}
}
