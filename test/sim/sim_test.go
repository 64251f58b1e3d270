// Package sim runs the product's own code of fetch, deploy, records, queues and invocations in one process, on a clock
// that jumps, in a world made of one number: a git host that answers with old tips, webhooks that get lost, a state that
// throttles, an API server that loses answers, processes that die or are paused at any call. After every event the
// invariants of the fault matrix hold; when the nemesis stops, two sweeps later everything is applied.
//
// go test ./test/sim -run TestInvariants -seed 17 -v runs one world again and tells its story.
package sim

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
)

var (
	seedFlag  = flag.Int("seed", -1, "run this world alone and tell its story")
	seedsFlag = flag.Int("seeds", seeds, "how many worlds")
	fromFlag  = flag.Int("from", 0, "the first world's seed")
)

func TestInvariantsHoldInEveryWorld(t *testing.T) {
	t.Parallel()
	if *seedFlag >= 0 {
		synctest.Test(t, func(t *testing.T) { run(t, *seedFlag, func(line string) { fmt.Println(line) }) })
		return
	}
	t.Logf("%d worlds", *seedsFlag)
	for seed := *fromFlag; seed < *fromFlag+*seedsFlag; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { run(t, seed, nil) })
		})
	}
}

// run lets one world live; trace gets one line an event.
func run(t *testing.T, seed int, trace func(string)) *world {
	w := newWorld(t, seed, trace)
	w.story()
	return w
}
