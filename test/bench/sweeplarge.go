package main

import (
	"context"
	"errors"
)

const (
	largeObjects = 100_000
	largeRuns    = 3
)

// largeSweeps is a cluster of 100,000 objects of 10,000 applications.
var largeSweeps = group{
	rows: []row{
		{Name: "sweep_100k_ms", Unit: "ms", Goal: 7000},
		{Name: "sweep_100k_peak_mib", Unit: "MiB", Goal: 250},
	},
	measure: measureLargeSweeps,
}

func measureLargeSweeps(ctx context.Context, m *machine, r *results) (err error) {
	c, err := m.crowd(ctx, largeObjects)
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
	var all []float64
	for range largeRuns {
		t, err := s.quiet(ctx, c.count)
		if err != nil {
			return err
		}
		all = append(all, t.MS)
	}
	peak, err := peakOf(s.pid())
	if err != nil {
		return err
	}
	r.value("sweep_100k_ms", median(all))
	r.value("sweep_100k_peak_mib", peak)
	r.note("sweep_100k: median of %d sweeps of one process, %.0f to %.0f ms; its first one %.0f; %.0f MB travelled; %s",
		largeRuns, percentile(all, 1), percentile(all, 100), first.MS, float64(first.Report.Bytes)/1e6, c.took)
	return nil
}
