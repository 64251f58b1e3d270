// Package driftevent takes the drift function's event in and hands one cluster to drift. It lies apart from invoke
// because it knows its use case: the webhook links invoke, and must stay light.
package driftevent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"slipway/internal/app"
	"slipway/internal/drift"
	"slipway/internal/invoke"
)

// sweepTime is how long a sweep may take: the next one begins a minute later (design.md 3). What is left to judge then is
// found by that one.
const sweepTime = 55 * time.Second

// Drifter finds and heals drift in one cluster; drift.Drift is one.
type Drifter interface {
	Sweep(ctx context.Context, c app.Cluster) (drift.Report, error)
	Watch(ctx context.Context, c app.Cluster, limit time.Duration) (drift.Report, error)
}

// Ticker looks after the rollouts of a cluster between the steps of their executions; drive.Drive is one.
type Ticker interface {
	Tick(ctx context.Context, cluster string) error
	Watch(ctx context.Context, cluster string) error // until ctx ends
}

// Handler runs drift for the cluster that an event names, and looks after its rollouts.
type Handler struct {
	Clusters []app.Cluster
	Drift    Drifter
	Rollouts Ticker
	Log      *slog.Logger
}

// Handle sweeps or watches the cluster, as its configuration says, until a margin before the invocation's end. Its answer
// is short: a thousand findings would be more than Lambda hands back, and are kept by application. It returns the error,
// so that Lambda counts it; nothing is tried again, since the next run is a minute away.
func (h Handler) Handle(ctx context.Context, event json.RawMessage) (Report, error) {
	begin := time.Now()
	var out Report
	e, err := invoke.ParseDrift(event)
	if err == nil {
		out, err = h.run(ctx, e.Cluster)
	}
	out.Milliseconds = time.Since(begin).Milliseconds()
	h.log(ctx, out, err)
	return out, err
}

func (h Handler) run(ctx context.Context, name string) (Report, error) {
	out := Report{Cluster: name}
	c, err := app.Resolve(h.Clusters, app.Destination{Name: name})
	if err != nil {
		return out, fmt.Errorf("run drift: %w", err)
	}
	ctx, cancel, err := invoke.Within(ctx)
	if err != nil {
		return out, fmt.Errorf("run drift of cluster %s: %w", name, err)
	}
	defer cancel()
	out.Mode = c.DriftMode()
	if out.Mode == app.DriftSweep {
		ctx, cancel = context.WithTimeout(ctx, sweepTime)
		defer cancel()
	}
	ticking, stop := context.WithCancel(ctx)
	defer stop()
	tick, find := h.Rollouts.Tick, func() (drift.Report, error) { return h.Drift.Sweep(ctx, c) }
	if out.Mode == app.DriftWatch { // the two watches end together
		tick, find = h.Rollouts.Watch, func() (drift.Report, error) {
			defer stop()
			return h.Drift.Watch(ctx, c, drift.WatchLimit)
		}
	}
	ticked := make(chan error, 1)
	go func() { ticked <- tick(ticking, name) }() // beside drift: what one of them cannot do keeps the other from nothing
	rep, err := find()
	if tickErr := <-ticked; tickErr != nil && ctx.Err() == nil {
		err = errors.Join(err, fmt.Errorf("look after rollouts: %w", tickErr))
	}
	return out.of(rep), err
}
