package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// host is what repositories are called in Applications; the git host of slipway up stands for it.
const host = "https://github.com/"

// tree is a work tree with a remote in slipway's git host.
type tree struct {
	dir        string
	repository string // OWNER/NAME
}

func (m *machine) tree(ctx context.Context, s *slipway, repository string) (*tree, error) {
	dir, err := m.folder("tree")
	if err != nil {
		return nil, err
	}
	t := &tree{dir, repository}
	if err := t.git(ctx, "init", "-q", "-b", "main"); err != nil {
		return nil, err
	}
	return t, t.git(ctx, "remote", "add", "origin", s.ready.Git+"/"+repository+".git")
}

// git runs git without the user's own settings.
func (t *tree) git(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...) //nolint:gosec // our own arguments
	cmd.Dir = t.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=CI", "GIT_AUTHOR_EMAIL=ci@myorg.com", "GIT_COMMITTER_NAME=CI", "GIT_COMMITTER_EMAIL=ci@myorg.com")
	var all bytes.Buffer
	cmd.Stdout, cmd.Stderr = &all, &all
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, all.String())
	}
	return nil
}

// write puts content into a file, making its folders.
func (t *tree) write(name, content string) error {
	path := filepath.Join(t.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func (t *tree) commit(ctx context.Context, message string) error {
	if err := t.git(ctx, "add", "-A"); err != nil {
		return err
	}
	return t.git(ctx, "commit", "-q", "-m", message)
}

func (t *tree) push(ctx context.Context) error { return t.git(ctx, "push", "-q", "origin", "main") }

// change commits one file's new content and pushes it.
func (t *tree) change(ctx context.Context, name, content string) error {
	if err := t.write(name, content); err != nil {
		return err
	}
	if err := t.commit(ctx, "Change "+name); err != nil {
		return err
	}
	return t.push(ctx)
}
