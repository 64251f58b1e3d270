package deploy

import (
	"context"
	"time"
)

// rewrites bounds how often one object is written after a 409: controllers raise resourceVersions, and a run that cannot
// get a word in comes back later (faults 30). rewritePause grows twofold, to 635 ms in all: the controllers of a
// Deployment that has just been made write its status four times within 150 ms on a busy machine.
const (
	rewrites     = 8
	rewritePause = 5 * time.Millisecond
)

// settleDown gives those who write to an object too the time to be done, after the try'th try of ours (from 0). There is
// none after the first: it may be a newer run that has written, and whoever has lost the fence is to know it at once.
func settleDown(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	t := time.NewTimer(rewritePause << (try - 1))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
