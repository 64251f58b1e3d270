// Package rollout is a model of the rollout protocol and the search of every state that it can reach: one Rollout, its
// record, executions, tasks that die or come too late, the tick, the janitor, sync and sweep, people and the plugin.
// README.md has the rules and what is left out; rules_test.go has the rules as switches, mutations_test.go what breaks
// without each. The search is breadth first, so a trace is a shortest one.
//
//	go test ./test/sim/rollout                                                   all scenarios: about a minute
//	go test ./test/sim/rollout -run 'Protocol.*/heal$' -v -story                 one of them
//	go test ./test/sim/rollout -run 'Dropped.*/5:' -v -story                     mutations, with their traces
//	go test ./test/sim/rollout -run Protocol -deep -limit 8000000 -v             more faults at once: ten minutes, 2 GB
package rollout

import (
	"flag"
	"strings"
	"testing"
)

var (
	deep  = flag.Bool("deep", false, "more faults at once, minutes and gigabytes")
	limit = flag.Int("limit", states, "most states of a scenario")
	story = flag.Bool("story", false, "print the traces")
)

// The protocol holds in every state that each scenario can reach.
func TestTheProtocolHoldsInEveryReachableState(t *testing.T) {
	t.Parallel()
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			if *deep {
				sc.budget = sc.budget.plus(sc.deep)
			}
			res := explore(sc, protocol(), *limit, "")
			t.Logf("%d states, %d steps, %.1f s, cut %v", res.states, res.steps, res.took.Seconds(), res.cut)
			for property, trace := range res.found {
				t.Errorf("%s (%d steps)\n\t%s", property, len(trace), strings.Join(trace, "\n\t"))
			}
		})
	}
}
