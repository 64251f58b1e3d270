package rollout

import "slices"

// budget bounds each kind of event.
type budget struct {
	late, crash, stop, lost, twice, pods, stable, promote, abort, patchPromote, patchAbort, retry, tick, apply, handOver, noData, lose uint8
}

func (b budget) plus(d budget) budget {
	return budget{
		b.late + d.late, b.crash + d.crash, b.stop + d.stop, b.lost + d.lost, b.twice + d.twice, b.pods + d.pods, b.stable + d.stable,
		b.promote + d.promote, b.abort + d.abort, b.patchPromote + d.patchPromote, b.patchAbort + d.patchAbort, b.retry + d.retry,
		b.tick + d.tick, b.apply + d.apply, b.handOver + d.handOver, b.noData + d.noData, b.lose + d.lose,
	}
}

// planned is a step of a Rollout's plan.
type planned struct {
	kind   kind // setWeight, pause or measure
	weight uint8
}

var (
	oneStep  = []planned{{setWeight, 1}, {pause, 0}, {measure, 0}}
	twoSteps = []planned{{setWeight, 1}, {pause, 0}, {measure, 0}, {setWeight, 2}, {pause, 0}, {measure, 0}}
	pauses   = []planned{{setWeight, 1}, {pause, 0}, {pause, 0}, {measure, 0}}
	unjudged = []planned{{setWeight, 1}, {measure, 0}, {setWeight, 2}, {pause, 0}}
	shortest = []planned{{setWeight, 1}, {measure, 0}}
)

// scenario is what may happen: commits, the plan, and how much of everything else.
type scenario struct {
	name    string
	commits []uint8 // revisions in the order of their commits; the first is stable
	plan    []planned
	timed   bool   // the pauses have a duration
	budget  budget // as CI runs it: all of them in about a minute
	deep    budget // more, with -deep
}

var scenarios = []scenario{
	{"stop", []uint8{1, 2}, oneStep, true, budget{late: 1, stop: 1, lost: 1, twice: 1}, budget{tick: 1, crash: 1}},
	{"late", []uint8{1, 2}, oneStep, true, budget{late: 2, tick: 1}, budget{abort: 1}},
	{"retry", []uint8{1, 2}, oneStep, true, budget{late: 1, abort: 1, retry: 1}, budget{tick: 1}},
	{"verbs", []uint8{1, 2}, oneStep, false, budget{late: 1, crash: 1, promote: 1, abort: 1}, budget{tick: 1}},
	{"plugin", []uint8{1, 2, 3}, oneStep, false, budget{patchPromote: 1, patchAbort: 1, tick: 1}, budget{crash: 1}},
	{"pods", []uint8{1, 2}, oneStep, true, budget{late: 1, pods: 1, tick: 1}, budget{crash: 1, stop: 1}},
	{"late, pods", []uint8{1, 2}, shortest, true, budget{late: 2, pods: 1}, budget{tick: 1}},
	{"pods, next", []uint8{1, 2, 3}, shortest, true, budget{pods: 1, tick: 1}, budget{late: 1}},
	{"commit", []uint8{1, 2, 3}, shortest, true, budget{late: 1}, budget{tick: 1}},
	{"revert", []uint8{1, 2, 1}, shortest, true, budget{late: 1}, budget{tick: 1, stop: 1}},
	{"swap", []uint8{1, 2, 3}, oneStep, false, budget{promote: 1, abort: 1, tick: 1}, budget{stop: 1}},
	{"crash", []uint8{1, 2, 3}, shortest, true, budget{crash: 1, tick: 1}, budget{stop: 1}},
	{"stop, next", []uint8{1, 2, 3}, shortest, true, budget{stop: 1, pods: 1}, budget{tick: 1}},

	{"steps", []uint8{1, 2}, twoSteps, true, budget{late: 1, crash: 1}, budget{tick: 1, abort: 1}},
	{"steps by hand", []uint8{1, 2}, twoSteps, false, budget{late: 1, crash: 1, promote: 2}, budget{abort: 1}},
	{"pauses", []uint8{1, 2}, pauses, false, budget{crash: 1, promote: 2, abort: 1, tick: 1}, budget{late: 1}},
	{"no data", []uint8{1, 2}, twoSteps, true, budget{noData: 1, crash: 1, promote: 1, tick: 1}, budget{late: 1, abort: 1}},
	{"unmeasured", []uint8{1, 2}, unjudged, true, budget{late: 1, crash: 1, tick: 1}, budget{noData: 1}},
	{"heal", []uint8{1, 2}, oneStep, true, budget{apply: 1, late: 1}, budget{abort: 1, tick: 1}},
	{"heal after", []uint8{1, 2, 3}, shortest, true, budget{apply: 2}, budget{crash: 1}},
	{"stable dies", []uint8{1, 2}, shortest, true, budget{stable: 1, abort: 1, pods: 1, crash: 1, tick: 1}, budget{late: 1}},
	{"stable dies, next", []uint8{1, 2, 3}, shortest, true, budget{stable: 1}, budget{pods: 1, tick: 1}},
	{"hand over", []uint8{1, 2}, twoSteps, true, budget{handOver: 1, late: 1}, budget{crash: 1, tick: 1}},
	{"hand over, unmeasured", []uint8{1, 2}, unjudged, true, budget{handOver: 1, crash: 1}, budget{late: 1}},
	{"hand over and verbs", []uint8{1, 2}, oneStep, false, budget{handOver: 1, crash: 1, stop: 1, abort: 1, patchAbort: 1}, budget{promote: 1}},
	{"lost record", []uint8{1, 2}, shortest, true, budget{lose: 1, late: 1}, budget{tick: 1, abort: 1}},
	{"lost record, heal", []uint8{1, 2}, shortest, true, budget{lose: 1, apply: 1}, budget{late: 1}},
}

// named is a scenario by its name; mutations name those that there are.
func named(name string) scenario {
	return scenarios[slices.IndexFunc(scenarios, func(sc scenario) bool { return sc.name == name })]
}
