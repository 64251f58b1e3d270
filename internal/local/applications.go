package local

import (
	"context"
	"fmt"
	"slices"

	"slipway/internal/app"
	"slipway/internal/drift"
	"slipway/internal/fault"
	"slipway/internal/record"
)

func (l *Local) applications(ctx context.Context) ([]Application, error) {
	all, err := l.stores.Registry.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read registry: %w", err)
	}
	out := make([]Application, 0, len(all))
	for _, r := range all {
		a, err := l.describe(ctx, r)
		if err != nil {
			return nil, err
		}
		a.Record.History = nil // app history shows it
		out = append(out, a)
	}
	return out, nil
}

func (l *Local) application(ctx context.Context, name app.Name) (Application, error) {
	r, err := l.stores.Registry.Get(ctx, name)
	if err != nil {
		return Application{}, fmt.Errorf("read declaration of %s: %w", name, err)
	}
	a, err := l.describe(ctx, r)
	if err != nil {
		return Application{}, err
	}
	a.Rollouts, err = l.rolloutsFrom(ctx, name)
	return a, err
}

func (l *Local) describe(ctx context.Context, r app.Registered) (Application, error) {
	a := Application{Registered: r, Name: r.Application.Key()}
	a.Registered.Application = r.Application.Masked()
	rec, err := l.stores.Records.Get(ctx, a.Name)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return a, fmt.Errorf("read record of %s: %w", a.Name, err)
	}
	found, err := l.drift.Of(ctx, a.Name)
	if err != nil {
		return a, fmt.Errorf("read drift of %s: %w", a.Name, err)
	}
	a.Record, a.Drift, a.Status = rec, found.Findings, status(rec, found.Findings)
	if len(rec.History) > 0 {
		a.Last = &rec.History[0]
	}
	return a, nil
}

// status is Argo CD's word for how done stands to wanted.
func status(r record.Record, found []drift.Finding) string {
	drifted := slices.ContainsFunc(found, func(f drift.Finding) bool {
		return !f.Healed && f.Outcome != drift.Foreign && f.Outcome != drift.Unknown
	})
	switch {
	case r.Wanted.Seq == 0 || r.Refused.Reason != "":
		return "Unknown"
	case r.Wanted.Seq == r.Done.Seq && !drifted:
		return "Synced"
	}
	return "OutOfSync"
}

// requestSync asks for what is wanted now and wakes the application; it does not wait.
func (l *Local) requestSync(ctx context.Context, name app.Name) (Application, error) {
	r, err := l.stores.Registry.Get(ctx, name)
	if err != nil {
		return Application{}, fmt.Errorf("read declaration of %s: %w", name, err)
	}
	_, err = l.stores.Records.Update(ctx, name, func(rec *record.Record) error {
		if rec.Wanted.Seq == 0 {
			return fault.New(fault.NotFound, "sync %s: nothing was found in git yet", name)
		}
		rec.Request()
		return nil
	})
	if err != nil {
		return Application{}, err
	}
	if err := l.queues.Wake(ctx, name); err != nil {
		return Application{}, err
	}
	return l.describe(ctx, r)
}
