package local

import (
	"context"
	"errors"
	"time"

	"slipway/internal/drift"
	"slipway/internal/fault"
)

// sweepTimeout is less than a client waits.
const sweepTimeout = 55 * time.Second

// sweep sweeps the cluster of a name, or all of them, for somebody who asks; also beside a watch, since what either finds
// is judged under its application's lock.
func (l *Local) sweep(ctx context.Context, name string) ([]drift.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	out := []drift.Report{}
	for _, c := range l.clusters {
		if name != "" && name != c.Name {
			continue
		}
		rep, err := l.drift.Sweep(ctx, c)
		if err = errors.Join(err, l.rollouts.Tick(ctx, c.Name)); err != nil {
			return nil, err
		}
		out = append(out, rep)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.NotFound, "sweep cluster %s: it is not configured", name)
	}
	return out, nil
}
