package githost_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/local/githost"
)

// serve starts a host on the loopback interface. Deliveries go to a channel unless o says otherwise.
func serve(t testing.TB, o githost.Options) (url string, deliveries <-chan githost.Delivery, h *githost.Host) {
	t.Helper()
	ch := make(chan githost.Delivery, 100)
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Deliver == nil && o.WebhookURL == "" {
		o.Deliver = func(_ context.Context, d githost.Delivery) error { ch <- d; return nil }
	}
	h, err := githost.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.Close()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.URL, ch, h
}

// tree is a working copy.
type tree struct {
	t   testing.TB
	dir string
}

func clone(t testing.TB, url string) tree {
	t.Helper()
	w := tree{t, filepath.Join(t.TempDir(), "work")}
	run(t, "", "clone", "--quiet", url, w.dir)
	return w
}

// commit writes files ("" deletes one) and returns the new commit's id.
func (w tree) commit(files map[string]string) string {
	w.t.Helper()
	for name, text := range files {
		p := filepath.Join(w.dir, filepath.FromSlash(name))
		if text == "" {
			if err := os.Remove(p); err != nil {
				w.t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	w.git("add", "-A")
	w.git("commit", "--quiet", "--allow-empty", "-m", "change")
	return w.git("rev-parse", "HEAD")
}

func (w tree) git(args ...string) string { w.t.Helper(); return run(w.t, w.dir, args...) }

func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := try(t, dir, args...)
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return out
}

func try(t testing.TB, dir string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=init.defaultBranch", "GIT_CONFIG_VALUE_0=main"}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// next waits for one delivery.
func next(t *testing.T, ch <-chan githost.Delivery) githost.Delivery {
	t.Helper()
	select {
	case d := <-ch:
		return d
	case <-time.After(20 * time.Second):
		t.Fatal("no webhook within 20 s")
	}
	return githost.Delivery{}
}
