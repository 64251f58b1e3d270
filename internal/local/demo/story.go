package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/kube"
	"slipway/internal/local"
	"slipway/internal/manifest"
)

// repository is how the tutorial's Application names it; the local git host stands for github.com.
const repository = "https://github.com/myorg/k8s-config"

// story is one telling.
type story struct {
	ctx     context.Context //nolint:containedctx // one story is one call
	out     io.Writer
	tree    string // the person's work tree
	ready   local.Ready
	cluster *kube.Cluster
	client  *local.Client
	speed   int // how many times faster than the tutorial's the durations of a canary are
}

func (s *story) say(took time.Duration, format string, args ...any) {
	fmt.Fprintf(s.out, "%7.2f s  %s\n", took.Seconds(), fmt.Sprintf(format, args...))
}

// lay writes a sample into the work tree, each file as change makes it.
func (s *story) lay(from string, change func(string) string) error {
	return fs.WalkDir(sample, from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read sample: %w", err)
		}
		to := filepath.Join(s.tree, filepath.FromSlash(strings.TrimPrefix(path, from)))
		if e.IsDir() {
			return os.MkdirAll(to, 0o700)
		}
		b, err := sample.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read sample: %w", err)
		}
		return os.WriteFile(to, []byte(change(string(b))), 0o600)
	})
}

// git runs git in the work tree, without the user's own settings.
func (s *story) git(args ...string) error {
	cmd := exec.CommandContext(s.ctx, "git", args...) //nolint:gosec // fixed arguments
	cmd.Dir = s.tree
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=CI", "GIT_AUTHOR_EMAIL=ci@myorg.com", "GIT_COMMITTER_NAME=CI", "GIT_COMMITTER_EMAIL=ci@myorg.com")
	var all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &all, &all
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, all.String())
	}
	return nil
}

// edit replaces text in a file of the work tree, as CI's sed does; it must be there.
func (s *story) edit(file, old, with string) error {
	path := filepath.Join(s.tree, file)
	b, err := os.ReadFile(path) //nolint:gosec // our own work tree
	if err != nil {
		return fmt.Errorf("edit %s: %w", file, err)
	}
	if !bytes.Contains(b, []byte(old)) {
		return fmt.Errorf("edit %s: it does not contain %q", file, old)
	}
	return os.WriteFile(path, bytes.ReplaceAll(b, []byte(old), []byte(with)), 0o600) //nolint:gosec // our own work tree
}

// push commits everything and pushes; what follows is measured from its end.
func (s *story) push(message string) (time.Time, error) {
	if err := s.git("add", "-A"); err != nil {
		return time.Time{}, err
	}
	if err := s.git("commit", "-q", "-m", message); err != nil {
		return time.Time{}, err
	}
	return time.Now(), s.git("push", "-q", "origin", "main")
}

// sees waits until the object is as ok says, or absent if ok is nil.
func (s *story) sees(id manifest.ID, what string, ok func(*unstructured.Unstructured) bool) error {
	var last string
	_, err := until(s.ctx, func() (*unstructured.Unstructured, bool, error) {
		u, err := s.cluster.Get(s.ctx, id)
		switch {
		case fault.Is(err, fault.NotFound):
			last = "it is not there"
			return nil, ok == nil, nil
		case err != nil:
			return nil, false, err
		}
		last = "it is there"
		return u, ok != nil && ok(u), nil
	})
	if err != nil {
		return fmt.Errorf("%s: %s: %w (%s)%s", id, what, err, last, s.why())
	}
	return nil
}

// why is what the application says of itself, for a step that was not seen.
func (s *story) why() string {
	a, err := s.client.Application(s.ctx, orderService)
	if err != nil || a.Last == nil {
		return ""
	}
	return fmt.Sprintf("; %s: %s %s", a.Name, a.Last.Outcome, a.Last.Reason)
}

// until asks every 20 ms, for as long as a consequence may take.
func until[T any](ctx context.Context, ask func() (T, bool, error)) (T, error) {
	return within(ctx, seenWait, ask)
}

// within asks every 20 ms, for that long.
func within[T any](ctx context.Context, limit time.Duration, ask func() (T, bool, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		v, ok, err := ask()
		if err != nil || ok {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, fmt.Errorf("not seen in %s", limit)
		case <-t.C:
		}
	}
}
