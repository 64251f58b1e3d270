package workload

import "testing"

func FuzzABehaviorIsAlwaysPossible(f *testing.F) {
	for _, tag := range []string{"v1", "v2-bad20", "v2-bad20-slow300", "-bad-slow", "-bad0000", "-slow99999-"} {
		f.Add(tag)
	}
	f.Fuzz(func(t *testing.T, tag string) {
		if b := behaviorOf(tag); b.errors < 0 || b.errors > 1 || b.median < 0 {
			t.Errorf("%q: %+v", tag, b)
		}
	})
}
