package local

import (
	"context"
	"errors"
	"time"

	"slipway/internal/app"
	"slipway/internal/drift"
	"slipway/internal/fault"
)

// Times of the drift function (design.md 3): a sweep a minute, each within the minute.
const (
	driftEvery   = time.Minute
	driftTimeout = 55 * time.Second
)

// patrol sweeps one cluster every so often. A cluster that cannot be reached is tried again at the next turn.
func (l *Local) patrol(ctx context.Context, c app.Cluster, every time.Duration) {
	if every <= 0 {
		every = driftEvery
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		rep, err := l.sweepCluster(ctx, c)
		switch {
		case errors.Is(err, context.Canceled):
		case err != nil:
			l.log.Warn("drift", "cluster", c.Name, "error", err)
		case len(rep.Findings) > 0:
			l.log.Info("drift", "cluster", c.Name, "suspects", rep.Suspects, "healed", rep.Healed, "findings", len(rep.Findings), "ms", rep.Milliseconds)
		}
	}
}

func (l *Local) sweepCluster(ctx context.Context, c app.Cluster) (drift.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, driftTimeout)
	defer cancel()
	return l.drift.Sweep(ctx, c)
}

// sweep sweeps the cluster of a name, or all of them.
func (l *Local) sweep(ctx context.Context, name string) ([]drift.Report, error) {
	out := []drift.Report{}
	for _, c := range l.clusters {
		if name != "" && name != c.Name {
			continue
		}
		rep, err := l.sweepCluster(ctx, c)
		if err != nil {
			return nil, err
		}
		out = append(out, rep)
	}
	if len(out) == 0 {
		return nil, fault.New(fault.NotFound, "sweep cluster %s: it is not configured", name)
	}
	return out, nil
}
