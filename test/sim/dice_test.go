package sim

import (
	"strconv"
	"time"
)

// dice decides by what is asked about, never by how often it was asked: goroutines that run side by side may ask in any
// order and the world is still the same. Its value is the seed.
type dice uint64

func (d dice) roll(about ...string) uint64 {
	h := uint64(14695981039346656037) ^ uint64(d)*0x9e3779b97f4a7c15
	for _, s := range about {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211 // FNV-1a
		}
		h = (h ^ 0xff) * 1099511628211
	}
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9 // splitmix64's last steps: FNV alone hardly moves the high bits
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

func (d dice) chance(p float64, about ...string) bool {
	return p > 0 && float64(d.roll(about...)>>11)/(1<<53) < p
}

func (d dice) below(n int, about ...string) int { return int(d.roll(about...) % uint64(n)) }

// within is a time in nanoseconds, so that two events hardly ever fall on one instant.
func (d dice) within(lo, hi time.Duration, about ...string) time.Duration {
	return lo + time.Duration(d.roll(about...)%uint64(hi-lo))
}

// temper is how bad a world is. Each fault is off in some seeds, so that no fault hides another.
type temper struct {
	host, state, cluster        float64 // of a request: an error instead of an answer, or a lost answer
	slow                        float64 // of a request: seconds instead of milliseconds
	stale                       float64 // of a read of a tip: one of up to staleTip ago
	lost, twice, late           float64 // of a webhook
	copies                      float64 // of a message: a second worker gets it too
	controller                  float64 // of a write: the object has just been changed by somebody else
	crashes, pauses, lostRecord float64 // of a move of the nemesis
	thefts                      float64 // of a move of the nemesis: a holder of a lock is paused and loses it meanwhile
	undone                      float64 // of a theft, or a write that is late: the branch goes back to what was applied before
	skew                        time.Duration
	poison                      float64 // of a push: an object that the API server refuses, or a folder without manifests
}

func tempered(d dice) temper {
	level := func(name string, levels ...float64) float64 { return levels[d.below(len(levels), "temper", name)] }
	t := temper{
		host: level("host", 0, 0.01, 0.05, 0.15), state: level("state", 0, 0.005, 0.02, 0.06), cluster: level("cluster", 0, 0.01, 0.05, 0.15),
		slow: level("slow", 0, 0.01, 0.05), stale: level("stale", 0, 0.1, 0.4, 0.8),
		lost: level("lost", 0, 0.2, 0.6), twice: level("twice", 0, 0.2, 0.5), late: level("late", 0, 0.3, 0.7),
		copies: level("copies", 0, 0.1, 0.4), controller: level("controller", 0, 0.05, 0.2),
		crashes: level("crashes", 0, 0.3, 0.6), pauses: level("pauses", 0, 0.3, 0.6), lostRecord: level("lostRecord", 0, 0, 0.1, 0.3),
		thefts: level("thefts", 0, 0.5, 0.9), undone: level("undone", 0.3, 0.9),
		poison: level("poison", 0, 0.05, 0.2),
	}
	if d.chance(0.4, "temper", "skew") {
		t.skew = d.within(20*time.Second, 4*time.Minute, "temper", "skew")
	}
	return t
}

func number(n int) string { return strconv.Itoa(n) }
