package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"slipway/internal/local/devkube"
)

const (
	writesObjects    = 50
	writesRepository = "myorg/writes"
	writesNamespace  = "bench-writes"
)

// writes is what one changed line costs the API server.
var writes = group{
	rows:    []row{{Name: "one_line_change_writes", Unit: "writes", Goal: 1}},
	measure: measureWrites,
}

func measureWrites(ctx context.Context, m *machine, r *results) (err error) {
	dir, err := m.folder("audit")
	if err != nil {
		return err
	}
	a, err := newAudit(dir)
	if err != nil {
		return err
	}
	k, err := devkube.Start(ctx, devkube.Options{Dir: dir, Args: a.args()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopCluster(ctx, k)) }()
	s, err := m.up(ctx, k.Kubeconfig, writesRepository, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	t, err := m.tree(ctx, s, writesRepository)
	if err != nil {
		return err
	}
	if err := t.lay("writes", writesNamespace, objects(writesObjects)); err != nil {
		return err
	}
	if err := errors.Join(t.commit(ctx, "Add writes"), t.push(ctx)); err != nil {
		return err
	}
	if _, err := s.settled(ctx, 2); err != nil {
		return err
	}
	first, err := a.rest()
	if err != nil {
		return err
	}
	if first.writes < writesObjects { // the log does not show what it should
		return fmt.Errorf("the audit log shows %d writes of the first sync, want %d at least", first.writes, writesObjects)
	}
	if err := t.change(ctx, "apps/writes/"+changedFile, configMap(changedName, "second")); err != nil {
		return err
	}
	if _, err := s.log.synced(ctx); err != nil {
		return err
	}
	got, err := a.rest()
	if err != nil {
		return err
	}
	if got.writes == 0 {
		return errors.New("the change was not written")
	}
	r.value("one_line_change_writes", float64(got.writes))
	r.note("one_line_change_writes: in the API server's audit log: %s; dry runs %d; the first sync of the %d objects and their namespace: %d, dry runs %d",
		strings.Join(got.what, ", "), got.dry, writesObjects, first.writes, first.dry)
	return nil
}
