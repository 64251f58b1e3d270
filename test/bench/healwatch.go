package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	healEdits = 200
	healTime  = time.Minute
	watchTurn = time.Minute // from one run of drift to the next (design.md 3)
)

// heals is how fast slipway up --watch heals what is edited by hand, across a hand-over.
var heals = group{
	rows: []row{
		{Name: "heal_watch_p50_ms", Unit: "ms", Goal: 100, Peer: "Argo CD 3.5.1, equal machine, a first edit: 230"},
		{Name: "heal_watch_p99_ms", Unit: "ms", Goal: 1000},
		{Name: "heal_watch_lost", Unit: "edits", Goal: 0},
	},
	measure: measureHeals,
}

func measureHeals(ctx context.Context, m *machine, r *results) (err error) {
	c, err := m.crowd(ctx, sweepObjects)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopCluster(ctx, c.cluster)) }()
	targets, err := draw(healEdits + 1)
	if err != nil {
		return err
	}
	s, err := m.start(ctx, c.dir, "", "--kubeconfig", c.cluster.Kubeconfig, "--watch", "--sweep", "1h")
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
	first, targets := targets[:1], targets[1:]
	if err := w.warm(ctx, first, begin); err != nil {
		return err
	}
	if _, err := s.log.rest(); err != nil {
		return err
	}
	from := time.Now()
	if err := w.spread(ctx, targets, healTime, rand.Float64); err != nil {
		return err
	}
	took, lost, err := w.healed(ctx, targets, healWait)
	if err != nil {
		return err
	}
	lines, err := s.log.rest()
	if err != nil {
		return err
	}
	runs := watchRuns(lines)
	if len(runs) != 1 || !runs[0].Time.After(from) || runs[0].Healed == 0 || runs[0].Healed >= healEdits {
		return fmt.Errorf("the edits were not spread over two runs, one that ended and its successor: %+v", runs)
	}
	r.value("heal_watch_p50_ms", percentile(took, 50))
	r.value("heal_watch_p99_ms", percentile(took, 99))
	r.value("heal_watch_lost", float64(lost))
	r.note("heal_watch: %d objects of %d applications edited within %.0f s (%s), each once; from the API server's answer to the edit until a watch sees the object as git has it: %.0f to %.0f ms; slipway up --watch over %d objects, which handed over to its next run %.0f s after the first edit; %s",
		healEdits, targetApplications, healTime.Seconds(), verbs(targets), percentile(took, 1), percentile(took, 100), c.count, runs[0].Time.Sub(from).Seconds(), c.took)
	return nil
}

// watchRuns are the runs of watch mode that have ended.
func watchRuns(lines []line) []line {
	var out []line
	for _, l := range lines {
		if l.Msg == "drift" && l.Mode == "watch" {
			out = append(out, l)
		}
	}
	return out
}

// warm waits until a first edit is healed, so that watches are there, and then until half a turn after a hand-over: the
// next one is in the middle of the minute that follows.
func (w *watcher) warm(ctx context.Context, first []*target, begin time.Time) error {
	if err := w.spread(ctx, first, time.Millisecond, func() float64 { return 0 }); err != nil {
		return err
	}
	if _, lost, err := w.healed(ctx, first, firstWait); err != nil || lost > 0 {
		return errors.Join(errors.New("the first edit was not healed"), err)
	}
	at := begin.Add(watchTurn / 2)
	for at.Before(time.Now()) {
		at = at.Add(watchTurn)
	}
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
