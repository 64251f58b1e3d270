package record

import (
	"testing"
	"time"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

var (
	main  = revision.Source{Repository: "github.com/myorg/k8s-config", Ref: "main"}
	other = revision.Source{Repository: "github.com/myorg/values", Ref: "main"}
	noon  = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("got %v (%s), want it to be %s", err, fault.Of(err), kind)
	}
}

// wanting is a record that wants digest d1 of commit c1, and has done nothing.
func wanting(t *testing.T) *Record {
	t.Helper()
	r := &Record{Application: "argocd/web"}
	must(t, r.Find(0, main, "c1", "d1", false, at(-1), at(0)))
	return r
}

// finish takes the lock, applies what is wanted and releases it.
func finish(t *testing.T, r *Record, now time.Time) uint64 {
	t.Helper()
	must(t, r.Take("run", now, now.Add(time.Minute)))
	fence := r.Lock.Fence
	must(t, r.Finish(fence, Done{Seq: r.Wanted.Seq, Revs: r.Wanted.Revs, Digest: r.Wanted.Digest}))
	_, err := r.Release(fence, Settled)
	must(t, err)
	return fence
}
