package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/internal/app"
)

const (
	pushRuns       = 20
	pushObjects    = 10
	pushRepository = "myorg/push"
	pushName       = app.Name("argocd/push")
	pushNamespace  = "bench-push"
	argo           = "Argo CD 3.5.1, equal machine: 0.63 from the refresh, 0.83 at most"
)

// pushes is the main job: a webhook is received, the last object is applied.
var pushes = group{
	rows: []row{
		{Name: "push_to_applied_p50_s", Unit: "s", Goal: 0.4, Peer: argo},
		{Name: "push_to_applied_p99_s", Unit: "s", Goal: 1},
		{Name: "push_cpu_ms", Unit: "ms", Goal: 150},
	},
	measure: measurePushes,
}

func measurePushes(ctx context.Context, m *machine, r *results) (err error) {
	k, err := m.cluster(ctx)
	if err != nil {
		return err
	}
	s, err := m.up(ctx, k.Kubeconfig, pushRepository, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	t, err := m.tree(ctx, s, pushRepository)
	if err != nil {
		return err
	}
	if err := t.lay("push", pushNamespace, objects(pushObjects)); err != nil {
		return err
	}
	if err := errors.Join(t.commit(ctx, "Add push"), t.push(ctx)); err != nil {
		return err
	}
	if _, err := s.settled(ctx, 2); err != nil {
		return err
	}
	w, err := watchChanged(ctx, k.Kubeconfig, pushNamespace)
	if err != nil {
		return err
	}
	defer w.watch.Stop()
	var all []pushed
	for n := range pushRuns {
		one, err := pushOnce(ctx, s, t, w, fmt.Sprintf("push %d", n))
		if err != nil {
			return fmt.Errorf("push %d: %w", n+1, err)
		}
		all = append(all, one)
	}
	sumPushes(all, r)
	return nil
}

// pushOnce asks slipway nothing between the push and the end of its run: an answer would cost it processor time.
func pushOnce(ctx context.Context, s *slipway, t *tree, w *applied, value string) (pushed, error) {
	if err := t.write("apps/push/"+changedFile, configMap(changedName, value)); err != nil {
		return pushed{}, err
	}
	if err := t.commit(ctx, value); err != nil {
		return pushed{}, err
	}
	before, err := cpuOf(s.pid())
	if err != nil {
		return pushed{}, err
	}
	begin := time.Now()
	if err := t.push(ctx); err != nil {
		return pushed{}, err
	}
	seen, err := w.until(ctx, value)
	if err != nil {
		return pushed{}, err
	}
	lines, err := s.log.synced(ctx)
	if err != nil {
		return pushed{}, err
	}
	after, err := cpuOf(s.pid())
	if err != nil {
		return pushed{}, err
	}
	a, err := s.client.Application(ctx, pushName)
	if err != nil {
		return pushed{}, err
	}
	return gather(a, lines, begin, seen, after.since(before))
}
