package statetest

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
)

func testBlobs(t *testing.T, open func(t *testing.T) Engine) {
	put := func(t *testing.T, e Engine, data []byte) string {
		t.Helper()
		digest, err := e.Blobs.Put(t.Context(), data)
		ok(t, err)
		if want := app.Digest(data); digest != want {
			t.Fatalf("stored as %s, want %s", digest, want)
		}
		return digest
	}
	want := func(t *testing.T, e Engine, digest string, data []byte) {
		t.Helper()
		got, err := e.Blobs.Get(t.Context(), digest)
		ok(t, err)
		if !bytes.Equal(got, data) {
			t.Fatalf("%s reads %d bytes, want %d others", digest, len(got), len(data))
		}
	}
	t.Run("reads what was stored, across a restart, the empty one too", func(t *testing.T) {
		e := open(t)
		for _, data := range [][]byte{{}, []byte("a"), bytes.Repeat([]byte{0, 255}, 3<<20)} {
			digest := put(t, e, data)
			put(t, e, data)
			want(t, e, digest, data)
			e.Stores = e.Reopen(t)
			want(t, e, digest, data)
		}
	})
	t.Run("stores the same bytes once from many at once", func(t *testing.T) {
		e, data := open(t), bytes.Repeat([]byte("x"), 1<<16)
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if _, err := e.Blobs.Put(t.Context(), data); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		want(t, e, app.Digest(data), data)
	})
	t.Run("detects damage, and mends it with the next put", func(t *testing.T) {
		e, data := open(t), []byte("kind: ConfigMap")
		digest := put(t, e, data)
		e.Damage(t, digest)
		if got, err := e.Blobs.Get(t.Context(), digest); err == nil || fault.Is(err, fault.NotFound) {
			t.Fatalf("a damaged blob reads %q, %v", got, err)
		}
		put(t, e, data)
		want(t, e, digest, data)
	})
	t.Run("says not found of an absent digest and invalid of what is none", func(t *testing.T) {
		e := open(t)
		_, err := e.Blobs.Get(t.Context(), app.Digest([]byte("absent")))
		wantKind(t, err, fault.NotFound)
		for _, digest := range []string{"", "sha256:", "sha256:../../../etc/passwd", "../slipway.db", app.Digest(nil)[len("sha256:"):], app.Digest(nil) + "/.."} {
			_, err := e.Blobs.Get(t.Context(), digest)
			wantKind(t, err, fault.Invalid)
		}
	})
	t.Run("does nothing under an ended context", func(t *testing.T) {
		e, data := open(t), []byte("a")
		wantCancelled(t, map[string]func(context.Context) error{
			"put": func(ctx context.Context) error { _, err := e.Blobs.Put(ctx, data); return err },
			"get": func(ctx context.Context) error { _, err := e.Blobs.Get(ctx, app.Digest(data)); return err },
		})
		_, err := e.Blobs.Get(t.Context(), app.Digest(data))
		wantKind(t, err, fault.NotFound)
	})
}
