package main

import (
	"context"
	"sync/atomic"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/drift"
	"slipway/internal/kube"
	"slipway/internal/record"
	"slipway/internal/state"
	"slipway/internal/state/bolt"
)

// drifter is drift as slipway up has it, which counts what it reads of the state.
func drifter(c app.Cluster, dir string) (*drift.Drift, *reads, error) {
	store, err := bolt.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	s, connections, n := store.Stores(), &kube.Clusters{}, &reads{}
	records, registry := countedRecords{s.Records, n}, countedRegistry{s.Registry, n}
	return drift.New(drift.Deps{
		Records: records, Registry: registry, Blobs: s.Blobs, Notes: s.Notes,
		Holder: deploy.New(deploy.Deps{
			Records: records, Registry: registry, Blobs: s.Blobs, Queue: nobody{}, Owner: "bench",
			Connect: func(context.Context, app.Destination) (deploy.Cluster, error) { return connections.For(c) },
		}),
		Resolve: func(to app.Destination) (app.Cluster, error) { return app.Resolve([]app.Cluster{c}, to) },
		Connect: func(_ context.Context, c app.Cluster) (drift.Cluster, error) { return connections.For(c) },
	}), n, nil
}

// reads counts records and registrations that were read, each of a list too.
type reads struct{ atomic.Int64 }

type countedRecords struct {
	state.Records
	n *reads
}

func (r countedRecords) Get(ctx context.Context, name app.Name) (record.Record, error) {
	r.n.Add(1)
	return r.Records.Get(ctx, name)
}

func (r countedRecords) Update(ctx context.Context, name app.Name, change func(*record.Record) error) (record.Record, error) {
	r.n.Add(1)
	return r.Records.Update(ctx, name, change)
}

func (r countedRecords) List(ctx context.Context) ([]record.Record, error) {
	all, err := r.Records.List(ctx)
	r.n.Add(int64(len(all)))
	return all, err
}

type countedRegistry struct {
	state.Registry
	n *reads
}

func (r countedRegistry) Get(ctx context.Context, name app.Name) (app.Registered, error) {
	r.n.Add(1)
	return r.Registry.Get(ctx, name)
}

func (r countedRegistry) All(ctx context.Context) ([]app.Registered, error) {
	all, err := r.Registry.All(ctx)
	r.n.Add(int64(len(all)))
	return all, err
}
