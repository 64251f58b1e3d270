package main

import (
	"fmt"
	"time"

	"slipway/internal/local"
	"slipway/internal/record"
)

// pushed is what one push took.
type pushed struct {
	recorded    float64 // ms, as the run's record says: webhook received to the end of the run
	seen        float64 // ms from the webhook received until the watch showed the change
	person      float64 // ms from the start of git push until the watch showed the change
	fetch, sync float64 // ms of the two messages
	own, reaped float64 // ms of processor time
}

// gather is one push's figures. It trusts the record only if it is of this push.
func gather(a local.Application, lines []line, begin, seen time.Time, used cpu) (pushed, error) {
	if a.Last == nil || a.Last.Outcome != record.Applied || a.Last.Seq != a.Record.Wanted.Seq || a.Last.Applied != 1 {
		return pushed{}, fmt.Errorf("the last run is not of this push, or did not apply one object: %+v", a.Last)
	}
	p := pushed{
		recorded: float64(a.Last.LatencyMS), seen: ms(seen.Sub(time.UnixMilli(a.Record.Wanted.Since))), person: ms(seen.Sub(begin)),
		own: ms(used.own), reaped: ms(used.children),
	}
	for _, l := range lines {
		switch l.Use {
		case "fetch":
			p.fetch += l.MS
		case "sync":
			p.sync += l.MS
		}
	}
	return p, nil
}

// sumPushes takes for each push the later of what slipway says and what was seen.
func sumPushes(all []pushed, r *results) {
	column := func(of func(pushed) float64) []float64 {
		var out []float64
		for _, p := range all {
			out = append(out, of(p))
		}
		return out
	}
	recorded, seen := column(func(p pushed) float64 { return p.recorded }), column(func(p pushed) float64 { return p.seen })
	later := column(func(p pushed) float64 { return max(p.recorded, p.seen) })
	own, reaped := column(func(p pushed) float64 { return p.own }), column(func(p pushed) float64 { return p.reaped })
	r.value("push_to_applied_p50_s", median(later)/1000)
	r.value("push_to_applied_p99_s", percentile(later, 99)/1000)
	r.value("push_cpu_ms", mean(own)+mean(reaped))
	r.note("push_to_applied: webhook received to applied, %d pushes one after the other; of each the later of what the run's record says (p50 %.0f ms) and what a watch saw (p50 %.0f ms); from the start of git push: p50 %.0f ms; messages: fetch p50 %.0f ms, sync p50 %.0f ms",
		len(all), median(recorded), median(seen), median(column(func(p pushed) float64 { return p.person })),
		median(column(func(p pushed) float64 { return p.fetch })), median(column(func(p pushed) float64 { return p.sync })))
	r.note("push_cpu: user and system, mean: slipway itself %.0f ms, its children %.0f ms (render child; git of its own git host, which in production is GitHub's: the push's receive-pack, archive, rev-parse); not the cluster, not the person's git",
		mean(own), mean(reaped))
}
