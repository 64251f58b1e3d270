package drift

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/state"
	inject "slipway/test/fault"
)

// flaky puts an injector between drift and the stores.
type flakyRecords struct {
	state.Records
	i *inject.Injector
}

func (f flakyRecords) Get(ctx context.Context, n app.Name) (record.Record, error) {
	return inject.Value(ctx, f.i, "record get", func() (record.Record, error) { return f.Records.Get(ctx, n) })
}

func (f flakyRecords) List(ctx context.Context) ([]record.Record, error) {
	return inject.Value(ctx, f.i, "record list", func() ([]record.Record, error) { return f.Records.List(ctx) })
}

func (f flakyRecords) Update(ctx context.Context, n app.Name, change func(*record.Record) error) (record.Record, error) {
	return inject.Value(ctx, f.i, "record update", func() (record.Record, error) { return f.Records.Update(ctx, n, change) })
}

type flakyBlobs struct {
	state.Blobs
	i *inject.Injector
}

func (f flakyBlobs) Get(ctx context.Context, d string) ([]byte, error) {
	return inject.Value(ctx, f.i, "blob get", func() ([]byte, error) { return f.Blobs.Get(ctx, d) })
}

func (f flakyBlobs) Put(ctx context.Context, b []byte) (string, error) {
	return inject.Value(ctx, f.i, "blob put", func() (string, error) { return f.Blobs.Put(ctx, b) })
}

type flakyNotes struct {
	state.Notes
	i *inject.Injector
}

func (f flakyNotes) Get(ctx context.Context, k string) (string, error) {
	return inject.Value(ctx, f.i, "note get", func() (string, error) { return f.Notes.Get(ctx, k) })
}

func (f flakyNotes) Set(ctx context.Context, k, v string) error {
	return f.i.Do(ctx, "note set", func() error { return f.Notes.Set(ctx, k, v) })
}

// again is an object as it is sent to be created.
func again(u *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	u.SetUID("")
	u.SetResourceVersion("1")
	u.SetManagedFields(nil)
	return u
}

// A sweep that finds an edit, a deletion, something extra and something foreign is broken at each of its calls, in each
// way; whatever is left, the next sweeps make it right, and nothing else is touched.
func TestAHealBrokenAtAnyCallIsFinishedByTheNext(t *testing.T) {
	calls := inject.EveryCall(t, func(t *testing.T, i *inject.Injector) {
		w, s := newMemory(t)
		w.declare(func(a *app.Application) { a.Annotations = map[string]string{strictNote: "true"} })
		w.sync(configMap("a", "k: v1") + configMap("b", "k: v1") + configMap("c", "k: v1") + configMap("calm", "k: v1") + configMap("x", "k: v1"))
		kept := s.Live(cm("x"))
		w.sync(configMap("a", "k: v1") + configMap("b", "k: v1") + configMap("c", "k: v1") + configMap("calm", "k: v1"))
		calm := s.Live(cm("calm")).GetResourceVersion()
		if _, _, err := s.Apply(t.Context(), again(kept), false); err != nil { // a stale run has made it again
			t.Fatal(err)
		}
		s.Edit(cm("a"), "person", set("k", "x"))
		s.Drop(cm("b"))
		s.Edit(cm("c"), "person", set("extra", "x"))

		_, broken := w.process(state.Stores{
			Records: flakyRecords{w.stores.Records, i}, Registry: w.stores.Registry, Blobs: flakyBlobs{w.stores.Blobs, i}, Notes: flakyNotes{w.stores.Notes, i},
		})
		s.Around(func(op string, call func() error) error {
			err := i.Do(t.Context(), op, call)
			switch op {
			case "apply", "adopt", "delete", "patch":
				if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Internal) { // as kube marks a write without an answer
					return fault.InFlight(err)
				}
			}
			return err
		})
		_, err := broken.Sweep(t.Context(), app.Cluster{Name: "real"})
		s.Around(nil)
		if i.Gone() && err == nil {
			t.Error("no error from a process that is gone")
		}
		for range 3 {
			if r := w.record(); r.Lock.Owner != "" {
				r.Expire()
				w.put(r)
			}
			w.restart()
			w.sweep()
		}
		for name, want := range map[string]string{"a": "v1", "b": "v1", "c": "v1", "calm": "v1", "x": "gone"} {
			if got := data(s, name, "k"); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if data(s, "c", "extra") != "" {
			t.Error("what was added is still there")
		}
		if s.Live(cm("calm")).GetResourceVersion() != calm {
			t.Error("an object that nobody touched was written")
		}
		s.Take()
		if rep := w.sweep(); rep.Suspects > 0 || len(rep.Findings) > 0 || s.Take() != nil {
			t.Errorf("it is not quiet: %+v", rep)
		}
		r := w.record()
		if r.Lock.Owner != "" || r.Done.Seq != r.Wanted.Seq {
			t.Errorf("the record: %+v", r)
		}
		for _, f := range w.known().Findings {
			if !f.Healed {
				t.Errorf("still found: %+v", f)
			}
		}
	})
	if len(calls) < 20 {
		t.Errorf("only %d calls: %v", len(calls), calls)
	}
	t.Log(fmt.Sprint(len(calls), " calls"))
}
