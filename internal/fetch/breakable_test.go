package fetch

import (
	"context"
	"io"

	"slipway/internal/app"
	"slipway/internal/record"
	"slipway/internal/revision"
	inject "slipway/test/fault"
)

// breakable passes every call of fetch to the outside through the world's injector, and checks the world after each.
func breakable(w *world, d Deps) Deps {
	return Deps{
		Records: brokenRecords{w, d.Records}, Registry: brokenRegistry{w, d.Registry}, Blobs: brokenBlobs{w, d.Blobs}, Notes: brokenNotes{w, d.Notes},
		Host: brokenHost{w, d.Host}, Tips: brokenTips{w, d.Tips}, Cutter: brokenCutter{w, d.Cutter}, Queue: brokenQueue{w, d.Queue},
	}
}

func pass[T any](ctx context.Context, w *world, name string, call func() (T, error)) (T, error) {
	v, err := inject.Value(ctx, w.inject, name, call)
	if w.check != nil {
		w.check()
	}
	return v, err
}

func passErr(ctx context.Context, w *world, name string, call func() error) error {
	_, err := pass(ctx, w, name, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

type (
	brokenRecords struct {
		world *world
		Records
	}
	brokenRegistry struct {
		world *world
		Registry
	}
	brokenBlobs struct {
		world *world
		Blobs
	}
	brokenNotes struct {
		world *world
		Notes
	}
	brokenHost struct {
		world *world
		Host
	}
	brokenTips struct {
		world *world
		Tips
	}
	brokenCutter struct {
		world *world
		Cutter
	}
	brokenQueue struct {
		world *world
		Queue
	}
)

func (b brokenRecords) Get(ctx context.Context, name app.Name) (record.Record, error) {
	return pass(ctx, b.world, "read record", func() (record.Record, error) { return b.Records.Get(ctx, name) })
}

func (b brokenRecords) Update(ctx context.Context, name app.Name, change func(*record.Record) error) (record.Record, error) {
	return pass(ctx, b.world, "write record", func() (record.Record, error) { return b.Records.Update(ctx, name, change) })
}

func (b brokenRecords) List(ctx context.Context) ([]record.Record, error) {
	return pass(ctx, b.world, "list records", func() ([]record.Record, error) { return b.Records.List(ctx) })
}

func (b brokenRegistry) All(ctx context.Context) ([]app.Registered, error) {
	return pass(ctx, b.world, "read registry", func() ([]app.Registered, error) { return b.Registry.All(ctx) })
}

func (b brokenRegistry) Using(ctx context.Context, r revision.Repository) ([]app.Registered, error) {
	return pass(ctx, b.world, "read declarations", func() ([]app.Registered, error) { return b.Registry.Using(ctx, r) })
}

func (b brokenBlobs) Put(ctx context.Context, data []byte) (string, error) {
	return pass(ctx, b.world, "store inputs", func() (string, error) { return b.Blobs.Put(ctx, data) })
}

func (b brokenNotes) Get(ctx context.Context, key string) (string, error) {
	return pass(ctx, b.world, "read note", func() (string, error) { return b.Notes.Get(ctx, key) })
}

func (b brokenNotes) Set(ctx context.Context, key, value string) error {
	return passErr(ctx, b.world, "write note", func() error { return b.Notes.Set(ctx, key, value) })
}

func (b brokenHost) Tip(ctx context.Context, r revision.Repository, ref string) (revision.SHA, error) {
	return pass(ctx, b.world, "read tip", func() (revision.SHA, error) { return b.Host.Tip(ctx, r, ref) })
}

func (b brokenHost) Compare(ctx context.Context, r revision.Repository, base, head revision.SHA) (revision.Relation, error) {
	return pass(ctx, b.world, "compare", func() (revision.Relation, error) { return b.Host.Compare(ctx, r, base, head) })
}

func (b brokenHost) Archive(ctx context.Context, r revision.Repository, sha revision.SHA) (io.ReadCloser, error) {
	return pass(ctx, b.world, "fetch archive", func() (io.ReadCloser, error) { return b.Host.Archive(ctx, r, sha) })
}

func (b brokenTips) Changed(ctx context.Context, r revision.Repository, ref, etag string) (sha revision.SHA, newEtag string, changed bool, err error) {
	err = passErr(ctx, b.world, "ask for a new tip", func() error {
		var err error
		sha, newEtag, changed, err = b.Tips.Changed(ctx, r, ref, etag)
		return err
	})
	if err != nil {
		return "", "", false, err
	}
	return sha, newEtag, changed, nil
}

func (b brokenCutter) Cut(ctx context.Context, archive io.Reader, sha revision.SHA, apps []app.Application) (map[app.Name]Cut, error) {
	return pass(ctx, b.world, "cut archive", func() (map[app.Name]Cut, error) { return b.Cutter.Cut(ctx, archive, sha, apps) })
}

func (b brokenQueue) Wake(ctx context.Context, name app.Name) error {
	return passErr(ctx, b.world, "queue a wake-up", func() error { return b.Queue.Wake(ctx, name) })
}

func (b brokenQueue) Move(ctx context.Context, m revision.Move) error {
	return passErr(ctx, b.world, "queue a move", func() error { return b.Queue.Move(ctx, m) })
}
