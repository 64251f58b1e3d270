package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	sweepObjects = 10_000
	sweepRuns    = 21
	argoIdle     = "Argo CD 3.5.1, equal machine, idle at the same 1,000 applications: 12.4, and 576 MiB resident"
)

// sweeps is what it costs to look at a whole cluster: 10,000 objects of 1,000 applications.
var sweeps = group{
	rows: []row{
		{Name: "sweep_10k_ratio", Unit: "x", Goal: 1.3, Peer: "the bare LIST calls by client-go's metadata client, same run"},
		{Name: "sweep_10k_ms", Unit: "ms", Goal: 700},
		{Name: "sweep_10k_peak_mib", Unit: "MiB", Goal: 100},
		{Name: "sweep_10k_requests", Unit: "requests", Goal: 25}, // kinds x pages of 500
		{Name: "sweep_10k_writes", Unit: "writes", Goal: 0},
		{Name: "sweep_idle_cpu_s_per_min", Unit: "s", Goal: 1, Peer: argoIdle},
		{Name: "sweep_100_edits_writes", Unit: "writes", Goal: sweepEdits},
	},
	measure: measureSweeps,
}

func measureSweeps(ctx context.Context, m *machine, r *results) (err error) {
	c, err := m.crowd(ctx, sweepObjects)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopCluster(ctx, c.cluster)) }()
	s, err := c.start("sweep")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	first, err := s.quiet(ctx, c.count)
	if err != nil {
		return err
	}
	if err := compare(ctx, c, s, first, r); err != nil {
		return err
	}
	if err := idle(ctx, c, s, r); err != nil {
		return err
	}
	peak, err := peakOf(s.pid())
	if err != nil {
		return err
	}
	r.value("sweep_10k_peak_mib", peak)
	r.note("sweep_10k: records, registry, snapshots and inventories come from a sync of each application, whose applies were answered with what the API server had listed; %s", c.took)
	return c.edits(ctx, s, r)
}

// quiet is a sweep that must see everything and suspect nothing.
func (p *sweepProcess) quiet(ctx context.Context, objects int) (turn, error) {
	t, err := p.once(ctx)
	if err != nil {
		return t, err
	}
	if t.Objects != objects || t.Report.Suspects != 0 || t.Report.Skipped != 0 || t.Report.Applications == 0 {
		return t, fmt.Errorf("a sweep of what nobody has touched saw %d objects of %d applications, want %d; %d suspects, %d skipped, %.2000v",
			t.Objects, t.Report.Applications, objects, t.Report.Suspects, t.Report.Skipped, t.Report.Findings)
	}
	return t, nil
}

// compare takes turns with plain lists, so that both have the same machine.
func compare(ctx context.Context, c *crowd, s *sweepProcess, first turn, r *results) (err error) {
	plain, err := c.start("list")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plain.stop()) }()
	gzip, err := c.start("list-gzip")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gzip.stop()) }()
	var ours, bare, zipped []float64
	pages := 0
	if err := c.audit.skip(); err != nil {
		return err
	}
	for range sweepRuns {
		for p, into := range map[*sweepProcess]*[]float64{s: &ours, plain: &bare, gzip: &zipped} {
			t, err := p.once(ctx)
			if err != nil {
				return err
			}
			if t.Objects != c.count || t.Report.Suspects != 0 {
				return fmt.Errorf("%d objects were seen, want %d; %d suspects", t.Objects, c.count, t.Report.Suspects)
			}
			*into = append(*into, t.MS)
			pages = max(pages, t.Pages)
		}
	}
	got, err := c.audit.rest()
	if err != nil {
		return err
	}
	floor := median(bare[1:]) // the first pays for TLS
	r.value("sweep_10k_ratio", median(ours)/floor)
	r.value("sweep_10k_ms", median(ours))
	r.value("sweep_10k_writes", float64(got.writes+got.dry))
	r.value("sweep_10k_requests", float64(got.reads)/sweepRuns)
	r.find("sweep_10k_requests").Goal = float64(pages)
	r.note("sweep_10k_ms: median of %d sweeps of one process, %.0f to %.0f; its first one, which reads all inventories and discovers the cluster, %.0f; bare LIST calls, uncompressed: median %.0f, %.0f to %.0f; in gzip, as client-go does by itself: %.0f",
		sweepRuns, percentile(ours, 1), percentile(ours, 100), first.MS, floor, percentile(bare, 1), percentile(bare, 100), median(zipped[1:]))
	r.note("sweep_10k_requests: by the API server's audit log, goal is kinds x pages of 500, as the plain client needed them (a page behind the last object is asked for where the kind has objects without our label); %.1f MB travelled; sweep_10k_writes: by the same log, dry runs too",
		float64(first.Report.Bytes)/1e6)
	return nil
}

// idle is a minute of a process that sweeps once a minute.
func idle(ctx context.Context, c *crowd, s *sweepProcess, r *results) error {
	before, err := cpuOf(s.pid())
	if err != nil {
		return err
	}
	begin := time.Now()
	if _, err := s.quiet(ctx, c.count); err != nil {
		return err
	}
	select {
	case <-time.After(time.Minute - time.Since(begin)):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := cpuOf(s.pid())
	if err != nil {
		return err
	}
	r.value("sweep_idle_cpu_s_per_min", after.since(before).own.Seconds())
	return nil
}
