package main

import (
	"strings"
	"time"
)

// minute is the samples of the n-th minute, from 1.
func minute(samples []moment, n int) []moment {
	each := int(time.Minute / soakEvery)
	return samples[(n-1)*each : n*each]
}

func report(r *results, samples []moment) {
	minutes := len(samples) / int(time.Minute/soakEvery)
	perMinute, rss := make([]float64, minutes), make([]float64, minutes)
	for i := range minutes {
		all := []float64{}
		for _, s := range minute(samples, i+1) {
			all = append(all, s.rss)
			for _, n := range s.requests {
				perMinute[i] += float64(n)
			}
		}
		rss[i] = median(all)
	}
	lastly := func(by []float64) float64 { return median(by[minutes-soakLast:]) - by[1] }
	r.value("soak_rss_growth_mib", lastly(rss))
	r.value("soak_requests_per_min_growth", lastly(perMinute))
	first, last := samples[len(samples)/minutes*2-1].child, samples[len(samples)-1].child
	r.note("soak: by minute, resident MiB %s; requests %s; at the end of the second minute and of the last: %d and %d goroutines, %.0f and %.0f MiB of heap, %.0f and %.0f records read a minute",
		list(rss), list(perMinute), first.Goroutines, last.Goroutines, first.Heap, last.Heap,
		readIn(samples, 2), readIn(samples, minutes))
	for _, n := range []int{2, minutes} {
		by := map[string]int{}
		for _, s := range minute(samples, n) {
			for what, k := range s.requests {
				by[what] += k
			}
		}
		r.note("soak: requests of minute %d, by the API server's audit log: %s", n, counts(by))
	}
}

// readIn is how many records were read in a minute.
func readIn(samples []moment, n int) float64 {
	in := minute(samples, n)
	before := minute(samples, n-1)
	return float64(in[len(in)-1].child.Read - before[len(before)-1].child.Read)
}

func list(values []float64) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = digits(v)
	}
	return strings.Join(out, " ")
}
