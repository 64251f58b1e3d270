package sim

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// A seed that fails must fail again, or nobody can find out why.
func TestASeedIsTheSameWorldEachTime(t *testing.T) {
	for seed := range 20 {
		var stories [2][]string
		for i := range stories {
			synctest.Test(t, func(t *testing.T) { run(t, seed, func(line string) { stories[i] = append(stories[i], line) }) })
		}
		if diff := cmp.Diff(stories[0], stories[1]); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}
