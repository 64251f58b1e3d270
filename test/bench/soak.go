package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	soakEvery  = 10 * time.Second       // a sample
	soakEdit   = 3 * time.Second        // an edit
	soakStatus = 500 * time.Millisecond // a write to a status
	soakLeast  = 5                      // minutes: there are a second one and three last ones
	soakLast   = 3                      // minutes, which are compared with the second
)

// soaks is whether memory and requests stay flat in watch mode while objects are edited and their statuses written.
var soaks = group{
	apart: true,
	rows: []row{
		{Name: "soak_rss_growth_mib", Unit: "MiB", Goal: 10},
		{Name: "soak_requests_per_min_growth", Unit: "requests", Goal: 10},
		{Name: "soak_lost", Unit: "edits", Goal: 0},
	},
	measure: measureSoak,
}

func measureSoak(ctx context.Context, m *machine, r *results) (err error) {
	minutes := int(m.soak / time.Minute)
	if minutes < soakLeast {
		return fmt.Errorf("a soak takes %d minutes at least", soakLeast)
	}
	c, err := m.crowd(ctx, sweepObjects)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopCluster(ctx, c.cluster)) }()
	targets, err := draw(int(m.soak/soakEdit) + 1)
	if err != nil {
		return err
	}
	s, err := c.start("watch")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	begin := time.Now()
	watching, cancel := context.WithCancel(ctx)
	defer cancel() // before the cluster stops, which waits for its clients
	w, err := c.watcher(watching, targets)
	if err != nil {
		return err
	}
	if err := w.warm(ctx, targets[:1], begin); err != nil {
		return err
	}
	targets = evenly(targets[1:])
	samples, err := c.soak(ctx, s, w, targets, minutes)
	if err != nil {
		return err
	}
	took, lost, err := w.healed(ctx, targets, healWait)
	if err != nil {
		return err
	}
	last := samples[len(samples)-1].child
	if len(last.Failed) > 0 || last.Runs < minutes {
		return fmt.Errorf("%d runs of watch mode ended in %d minutes: %s", last.Runs, minutes, strings.Join(last.Failed, "; "))
	}
	r.value("soak_lost", float64(lost))
	report(r, samples)
	r.note("soak: %d minutes over %d objects, %d edits (%s) and %d writes to statuses; heals %.0f ms (p50), %.0f ms (p99); %d runs that handed over, each a minute long; %s",
		minutes, c.count, len(targets), verbs(targets), int(m.soak/soakStatus), percentile(took, 50), percentile(took, 99), last.Runs, c.took)
	return nil
}

// moment is the child as it was at a moment, and what it has asked of the API server since the sample before.
type moment struct {
	rss      float64 // MiB
	requests map[string]int
	child    watched
}

// soak edits and writes for so many minutes and takes samples all the while.
func (c *crowd) soak(ctx context.Context, s *sweepProcess, w *watcher, targets []*target, minutes int) ([]moment, error) {
	if err := c.audit.skip(); err != nil {
		return nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	length := time.Duration(minutes) * time.Minute
	g.Go(func() error { return w.spread(ctx, targets, length, rand.Float64) })
	g.Go(func() error { return w.statuses(ctx, length) })
	var samples []moment
	g.Go(func() error {
		t := time.NewTicker(soakEvery)
		defer t.Stop()
		for range length / soakEvery {
			select {
			case <-t.C:
			case <-ctx.Done():
				return ctx.Err()
			}
			one, err := c.sample(ctx, s)
			if err != nil {
				return err
			}
			samples = append(samples, one)
		}
		return nil
	})
	return samples, g.Wait()
}

func (c *crowd) sample(ctx context.Context, s *sweepProcess) (moment, error) {
	t, err := s.once(ctx)
	if err != nil {
		return moment{}, err
	}
	got, err := c.audit.rest()
	if err != nil {
		return moment{}, err
	}
	rss, err := residentOf(s.pid())
	return moment{rss, got.by, t.Watched}, err
}
