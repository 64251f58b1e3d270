package invoke

import (
	"math/rand/v2"
	"time"

	"slipway/internal/fault"
)

// The wait before a message comes again, where the error does not say: 1, 2, 4 ... seconds, at most a minute, and up to a
// quarter more, so that a thousand messages that failed together do not come back together. Reference fault 66 allows five
// minutes, but a group waits with its first message: a move that failed for one application's sake would keep the next
// push from all others of its branch (test/sim, I10).
const (
	firstPause = time.Second
	maxPause   = time.Minute
)

func pause(err error, receives int) time.Duration {
	if d, ok := fault.After(err); ok {
		return d
	}
	d := maxPause
	if n := receives - 1; n < 6 { // 2^6 s are over the cap
		d = min(firstPause<<n, maxPause)
	}
	return d + rand.N(d/4) //nolint:gosec // spreads load, guards nothing
}

// panicked is a panic of a use case. Its kind is Internal.
type panicked struct{ value, stack string }

func (p *panicked) Error() string { return "panic: " + p.value }
