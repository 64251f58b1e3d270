package main

import (
	"strings"
	"testing"
	"time"
)

func TestGrowthIsTheLastMinutesAgainstTheSecond(t *testing.T) {
	each := int(time.Minute / soakEvery)
	var samples []moment
	for n := range 7 * each {
		minute := float64(n/each + 1)
		samples = append(samples, moment{rss: 50 + 2*minute, requests: map[string]int{"list pods": 1, "get pods": n / each}, child: watched{Read: int64(n * 10), Goroutines: n}})
	}
	samples[len(samples)-1].rss = 1000 // one that is far off changes no median
	r := newResults(soaks)
	r.value("soak_lost", 0)
	report(r, samples)
	if err := r.complete(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"soak_rss_growth_mib": 8, "soak_requests_per_min_growth": 24} {
		if got := r.find(name).Value; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	notes := strings.Join(r.notes, "\n")
	for _, want := range []string{"resident MiB 52 54 56", "60 and 60 records read", "minute 2, by the API server's audit log: 6 get pods, 6 list pods", "minute 7"} {
		if !strings.Contains(notes, want) {
			t.Errorf("%q is not in %s", want, notes)
		}
	}
}
