package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/internal/app"
	"slipway/internal/local"
)

const (
	monoApplications = 100
	monoRepository   = "myorg/monorepo"
	monoNamespace    = "bench-monorepo"
	monoChanged      = "app-042"
)

// monorepo is what a change of one application costs the others of its repository.
var monorepo = group{
	rows: []row{
		{Name: "monorepo_100_archives", Unit: "archives", Goal: 1},
		{Name: "monorepo_100_syncs", Unit: "syncs", Goal: 1},
	},
	measure: measureMonorepo,
}

func measureMonorepo(ctx context.Context, m *machine, r *results) (err error) {
	k, err := m.cluster(ctx)
	if err != nil {
		return err
	}
	dir, err := m.folder("git")
	if err != nil {
		return err
	}
	archives, err := countArchives(dir)
	if err != nil {
		return err
	}
	s, err := m.up(ctx, k.Kubeconfig, monoRepository, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	t, err := m.tree(ctx, s, monoRepository)
	if err != nil {
		return err
	}
	for i := range monoApplications {
		name := fmt.Sprintf("app-%03d", i)
		if err := t.lay(name, monoNamespace, map[string]string{"settings.yaml": configMap(name, "first")}); err != nil {
			return err
		}
	}
	begin := time.Now()
	if err := errors.Join(t.commit(ctx, "Add all"), t.push(ctx)); err != nil {
		return err
	}
	before, err := s.settled(ctx, monoApplications+1)
	if err != nil {
		return err
	}
	setup := time.Since(begin)
	had, err := archives()
	if err != nil {
		return err
	}
	if had == 0 {
		return errors.New("no archive was counted for the first push")
	}
	if err := t.change(ctx, "apps/"+monoChanged+"/settings.yaml", configMap(monoChanged, "second")); err != nil {
		return err
	}
	lines, err := s.log.synced(ctx)
	if err != nil {
		return err
	}
	after, err := s.settled(ctx, monoApplications+1)
	if err != nil {
		return err
	}
	have, err := archives()
	if err != nil {
		return err
	}
	if name := app.Name("argocd/" + monoChanged); after[name].Record.Done.Digest == before[name].Record.Done.Digest {
		return fmt.Errorf("%s was not synced", name)
	}
	syncs, err := s.runs(ctx, before, after)
	if err != nil {
		return err
	}
	r.value("monorepo_100_archives", float64(have-had))
	r.value("monorepo_100_syncs", float64(syncs))
	r.note("monorepo_100: archives are git archive processes of the git host; syncs are runs in the histories of all %d applications; fetch of the change %.0f ms; the first push of all took %.1f s and %d archives",
		len(after), fetchTime(lines), setup.Seconds(), had)
	return nil
}

// runs is how many runs the applications' histories have got since before. A wake-up that has nothing to do takes no
// lock and leaves no run. Fences grow with every lock.
func (s *slipway) runs(ctx context.Context, before, after map[app.Name]local.Application) (int, error) {
	n := 0
	for name, a := range after {
		old := before[name].Record.Lock.Fence
		if a.Record.Lock.Fence == old {
			continue
		}
		whole, err := s.client.Application(ctx, name)
		if err != nil {
			return 0, err
		}
		for _, run := range whole.Record.History {
			if run.Fence > old {
				n += max(run.Attempts, 1)
			}
		}
	}
	return n, nil
}

func fetchTime(lines []line) float64 {
	sum := 0.0
	for _, l := range lines {
		if l.Use == "fetch" {
			sum += l.MS
		}
	}
	return sum
}
