package deploy

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
	inject "slipway/test/fault"
	"slipway/test/fetched"
)

// flaky puts an injector between a Deploy and all that it talks to.
type flaky struct {
	*world
	*inject.Injector
}

func (f flaky) Get(ctx context.Context, n app.Name) (record.Record, error) {
	return inject.Value(ctx, f.Injector, "record get", func() (record.Record, error) { return f.stores.Records.Get(ctx, n) })
}

func (f flaky) Update(ctx context.Context, n app.Name, change func(*record.Record) error) (record.Record, error) {
	return inject.Value(ctx, f.Injector, "record update", func() (record.Record, error) { return f.stores.Records.Update(ctx, n, change) })
}

type flakyBlobs struct{ flaky }

func (f flakyBlobs) Get(ctx context.Context, d string) ([]byte, error) {
	return inject.Value(ctx, f.Injector, "blob get", func() ([]byte, error) { return f.stores.Blobs.Get(ctx, d) })
}

func (f flakyBlobs) Put(ctx context.Context, b []byte) (string, error) {
	return inject.Value(ctx, f.Injector, "blob put", func() (string, error) { return f.stores.Blobs.Put(ctx, b) })
}

type flakyRegistry struct{ flaky }

func (f flakyRegistry) Get(ctx context.Context, n app.Name) (app.Registered, error) {
	return inject.Value(ctx, f.Injector, "registry get", func() (app.Registered, error) { return f.stores.Registry.Get(ctx, n) })
}

func (f flakyRegistry) All(ctx context.Context) ([]app.Registered, error) {
	return inject.Value(ctx, f.Injector, "registry all", func() ([]app.Registered, error) { return f.stores.Registry.All(ctx) })
}

func (f flakyRegistry) Put(ctx context.Context, r app.Registered) error {
	return f.Do(ctx, "registry put", func() error { return f.stores.Registry.Put(ctx, r) })
}

func (f flakyRegistry) Remove(ctx context.Context, n app.Name) error {
	return f.Do(ctx, "registry remove", func() error { return f.stores.Registry.Remove(ctx, n) })
}

type flakyQueue struct{ flaky }

func (f flakyQueue) Wake(ctx context.Context, n app.Name) error {
	return f.Do(ctx, "wake", func() error { return f.queue.Wake(ctx, n) })
}

func (f flakyQueue) Look(ctx context.Context, a app.Application) error {
	return f.Do(ctx, "look", func() error { return f.queue.Look(ctx, a) })
}

// broken is a process in which call number at fails by mode.
func (w *world) broken(at int, mode inject.Mode) (*Deploy, *inject.Injector) {
	inj := inject.New(at, mode)
	f := flaky{w, inj}
	w.server.Around(func(op string, call func() error) error {
		err := inj.Do(w.t.Context(), op, call)
		switch op {
		case "apply", "adopt", "delete", "namespace":
			if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Internal) { // as kube marks a write without an answer
				return fault.InFlight(err)
			}
		}
		return err
	})
	return New(Deps{Records: f, Registry: flakyRegistry{f}, Blobs: flakyBlobs{f}, Renderer: fetched.Renderer{}, Queue: flakyQueue{f}, Owner: "broken",
		Connect: func(context.Context, app.Destination) (Cluster, error) { return w.server, nil }}), inj
}

// crashWorld has one commit applied and another wanted that changes, adds and removes, with a second set of an
// Application and something that only kubectl has made.
func crashWorld(t *testing.T) *world {
	w := newWorld(t)
	w.app.Sync.CreateNamespace = true
	w.declare(w.app)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1"), "same.yaml": configMap("same", "k: v1"), "apps.yaml": declared("one", "two")})
	w.mustSync()
	w.server.Create("kubectl-create", configMapObject("theirs", "k", "old"))
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2"), "c.yaml": configMap("c", "k: v2"), "same.yaml": configMap("same", "k: v1"),
		"theirs.yaml": configMap("theirs", "k: v2"), "apps.yaml": declared("one", "three")})
	w.queue.looks = nil
	return w
}

// end is what must be the same however the run was broken.
type end struct {
	values   map[string]string
	apps     []app.Name
	kinds    []string
	done     bool
	lockFree bool
	clean    bool // nothing is left to touch
}

func (w *world) end() end {
	e := end{values: map[string]string{}}
	for id, u := range w.server.Objects() {
		e.values[id.String()] = value(u, "k")
	}
	all, err := w.stores.Registry.All(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range all {
		e.apps = append(e.apps, r.Application.Key())
	}
	r := w.record()
	e.done, e.lockFree, e.clean, e.kinds = r.Done.Seq == r.Wanted.Seq, r.Lock.Owner == "", r.Lock.Clean, r.Kinds
	return e
}

// crashWorlds are what a run may find.
var crashWorlds = map[string]func(*testing.T) *world{
	"a new commit": crashWorld,
	"the first commit": func(t *testing.T) *world { // everything is made, and touched
		w := newWorld(t)
		w.app.Sync.CreateNamespace = true
		w.declare(w.app)
		w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "c.yaml": configMap("c", "k: v1"), "apps.yaml": declared("one")})
		return w
	},
	"a new commit after the record was lost": func(t *testing.T) *world { // everything is touched, and what left git is found
		w := crashWorld(t)
		if err := w.stores.Records.Delete(t.Context(), w.app.Key()); err != nil {
			t.Fatal(err)
		}
		w.push(map[string]string{"a.yaml": configMap("a", "k: v2"), "c.yaml": configMap("c", "k: v2"), "same.yaml": configMap("same", "k: v1"),
			"theirs.yaml": configMap("theirs", "k: v2"), "apps.yaml": declared("one", "three")})
		return w
	},
}

func TestASyncBrokenAtAnyCallEndsAsIfItHadNotBeen(t *testing.T) {
	for name, make := range crashWorlds {
		t.Run(name, func(t *testing.T) { breakEach(t, make) })
	}
}

func breakEach(t *testing.T, make func(*testing.T) *world) {
	whole := make(t)
	d, counter := whole.broken(0, inject.Before)
	if err := d.Sync(t.Context(), whole.app.Key(), false); err != nil {
		t.Fatal(err)
	}
	want, calls := whole.end(), counter.Calls()
	if len(calls) < 15 {
		t.Fatalf("only %d calls: %v", len(calls), calls)
	}
	for _, mode := range inject.Modes {
		for k := range len(calls) {
			t.Run(fmt.Sprintf("%s at call %d, %s", mode, k+1, calls[k]), func(t *testing.T) {
				w := make(t)
				broken, _ := w.broken(k+1, mode)
				err := broken.Sync(t.Context(), w.app.Key(), false)
				w.check(t)
				w.server.Around(nil)
				w.finish(t)
				if got := w.end(); !reflect.DeepEqual(got, want) {
					t.Errorf("after %v it ends as\n%+v, want\n%+v", err, got, want)
				}
				w.check(t)
				if n := len(w.queue.looks); n < 1 {
					t.Error("nobody looks at the branch of the new Application")
				}
			})
		}
	}
	t.Logf("%d calls, %d runs", len(calls), len(calls)*len(inject.Modes))
}

// finish runs wake-ups until nothing is left, as the queue and the sweep do, ending the lease of a dead holder.
func (w *world) finish(t *testing.T) {
	t.Helper()
	for range 6 {
		if r := w.record(); r.Done.Seq == r.Wanted.Seq && r.Lock.Owner == "" {
			return
		}
		if _, err := w.stores.Records.Update(t.Context(), w.app.Key(), func(r *record.Record) error { r.Expire(); return nil }); err != nil {
			t.Fatal(err)
		}
		if err := w.sync(); err != nil && !fault.Is(err, fault.Unfinished) {
			t.Fatalf("the run after it fails: %v", err)
		}
	}
}

// check holds the invariants of the fault matrix against all that was ever written: no fence goes back (I2), and
// nothing is deleted before every object of the set is there (I4).
func (w *world) check(t *testing.T) {
	t.Helper()
	fences := map[manifest.ID]string{}
	applied := map[manifest.ID]bool{}
	for _, e := range w.server.Writes() {
		switch e.Op {
		case "apply":
			applied[e.ID] = true
			if e.Fence != "" && e.Fence < fences[e.ID] {
				t.Errorf("%s was written with fence %s after %s", e.ID, e.Fence, fences[e.ID])
			}
			fences[e.ID] = max(fences[e.ID], e.Fence)
		case "delete":
			for _, n := range []string{"a", "c", "same", "theirs"} {
				if !applied[cm(n)] {
					t.Errorf("%s was deleted before %s was applied", e.ID, n)
				}
			}
		}
	}
}
