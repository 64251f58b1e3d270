package rollout

import (
	"strings"
	"testing"
)

func TestARoundIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		next [][]int32
		want bool
	}{
		"a line":                    {[][]int32{{1}, {2}, {}}, false},
		"two ways to one state":     {[][]int32{{1, 2}, {3}, {3}, {}}, false},
		"the same step twice":       {[][]int32{{1, 1}, {}}, false},
		"back to the start":         {[][]int32{{1}, {0}}, true},
		"a state that stays":        {[][]int32{{1}, {1}}, true},
		"a round far from the rest": {[][]int32{{1, 4}, {2}, {3}, {2}, {}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := search{hashes: make([]uint64, len(c.next))}
			for _, next := range c.next {
				x.next = append(x.next, next...)
				x.ends = append(x.ends, int32(len(x.next)))
			}
			if at := x.round(); (at >= 0) != c.want {
				t.Errorf("round at %d, want one: %v", at, c.want)
			}
		})
	}
}

// A trace is found again by walking hashes: it must have all its steps, from the first commit on.
func TestATraceHasEveryStep(t *testing.T) {
	t.Parallel()
	r := protocol()
	r.TickStarts = false
	const property = "R4 RUNNING without a live execution on a live token"
	trace := explore(named("crash"), r, 50_000, property).found[property]
	want := []string{"git: a commit", "sync: writes", "sync: reads", "sync: names", "sync: FAULT crashes", "(quiet"}
	if len(trace) != len(want) {
		t.Fatalf("trace %q", trace)
	}
	for i, line := range trace {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("step %d is %q, want %q", i, line, want[i])
		}
	}
}

// A search that was cut says so: nobody may take it for a whole one.
func TestASearchThatIsCutSaysSo(t *testing.T) {
	t.Parallel()
	if res := explore(named("stop"), protocol(), 1_000, ""); !res.cut || res.states < 1_000 || res.states > 1_100 {
		t.Errorf("%d states, cut %v", res.states, res.cut)
	}
}

func TestScenariosAreNamedOnceAndMutationsNameThem(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, sc := range scenarios {
		if seen[sc.name] {
			t.Errorf("%q is there twice", sc.name)
		}
		seen[sc.name] = true
	}
	for _, mu := range mutations {
		if !seen[mu.scenario] {
			t.Errorf("mutation %q runs scenario %q, which is not there", mu.dropped, mu.scenario)
		}
	}
}
