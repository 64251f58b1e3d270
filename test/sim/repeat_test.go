package sim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	diffs "github.com/google/go-cmp/cmp"
)

// A seed that fails must fail again, or nobody can find out why.
func TestASeedIsTheSameWorldEachTime(t *testing.T) {
	for seed := range 20 {
		var stories [2][]string
		for i := range stories {
			synctest.Test(t, func(t *testing.T) { run(t, seed, func(line string) { stories[i] = append(stories[i], line) }) })
		}
		if diff := diffs.Diff(instants(stories[0]), instants(stories[1])); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// instants puts what happens at one instant in order by its text: two workers that take two messages then do it in any.
func instants(story []string) []string {
	out := slices.Clone(story)
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a, b)) })
	return out
}

// at is the time that a line begins with, in seconds.
func at(line string) float64 {
	t, _, _ := strings.Cut(strings.TrimLeft(line, " "), "s ")
	seconds, _ := strconv.ParseFloat(t, 64)
	return seconds
}
