package githost

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// environment is all that a git process gets: nothing of the user's or the system's configuration, no prompts, no
// hooks, no background gc, no replaced objects (a pushed refs/replace must not change what a commit id means).
func environment() []string {
	set := [][2]string{
		{"http.receivepack", "true"}, {"core.hooksPath", "/dev/null"}, {"receive.autogc", "false"}, {"gc.auto", "0"},
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1", fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(set)),
	}
	for i, kv := range set {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, kv[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, kv[1]))
	}
	return env
}

// command is a git process that ends with ctx. Arguments that come from outside follow --end-of-options or are full
// ref names and commit ids, so none can be an option.
func (h *Host) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	if dir != "" {
		args = append([]string{"--git-dir=" + dir}, args...)
	}
	cmd := exec.CommandContext(ctx, h.git, args...) //nolint:gosec // see above
	cmd.Env, cmd.Dir, cmd.WaitDelay = environment(), h.opts.Dir, 2*time.Second
	return cmd
}

// run is the trimmed output of one git command.
func (h *Host) run(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitWait)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := h.command(ctx, dir, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("run git %s: %w: %.300s", args[0], err, strings.TrimSpace(errs.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// create makes an empty bare repository, whole or not at all: it is renamed into place.
func (h *Host) create(ctx context.Context, r repo) error {
	if r.exists() {
		return nil
	}
	owner := filepath.Dir(r.dir)
	if err := os.MkdirAll(owner, 0o700); err != nil {
		return fmt.Errorf("create repository %s: %w", r.full(), err)
	}
	tmp, err := os.MkdirTemp(h.opts.Dir, ".new-")
	if err != nil {
		return fmt.Errorf("create repository %s: %w", r.full(), err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if _, err := h.run(ctx, "", "init", "--quiet", "--bare", "--template=", "--initial-branch="+h.opts.DefaultBranch, "--", tmp); err != nil {
		return fmt.Errorf("create repository %s: %w", r.full(), err)
	}
	if err := os.Rename(tmp, r.dir); err != nil {
		return fmt.Errorf("create repository %s: %w", r.full(), err)
	}
	return nil
}

// refs is every branch and tag and the object that it names.
func (h *Host) refs(ctx context.Context, r repo) (map[string]string, error) {
	out, err := h.run(ctx, r.dir, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags")
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		if id, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			refs[name] = id
		}
	}
	return refs, nil
}

// defaultBranch is what HEAD points to, whether or not it has a commit.
func (h *Host) defaultBranch(r repo) string {
	data, err := os.ReadFile(filepath.Join(r.dir, "HEAD"))
	if name, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "ref: refs/heads/"); err == nil && ok {
		return name
	}
	return h.opts.DefaultBranch
}

// resolve is the commit that a name stands for, as GitHub's API takes names: HEAD, heads/NAME, tags/NAME, NAME, or a
// full commit id; "" if there is none. The name is made a full ref name first.
func (h *Host) resolve(ctx context.Context, r repo, name string) string {
	var full []string
	switch {
	case isSHA(name), name == "HEAD":
		full = []string{name}
	case strings.HasPrefix(name, "heads/"), strings.HasPrefix(name, "tags/"):
		full = []string{"refs/" + name}
	default:
		full = []string{"refs/heads/" + name, "refs/tags/" + name}
	}
	for _, f := range full {
		if strings.ContainsAny(f, "^~:@{}\x00\n\\ *?[") || strings.Contains(f, "..") {
			return "" // revision syntax, not a name
		}
		if id, err := h.run(ctx, r.dir, "rev-parse", "--verify", "--quiet", "--end-of-options", f+"^{commit}"); err == nil && isSHA(id) {
			return id
		}
	}
	return ""
}

// named is resolve for who finds out later whether the commit is there: a full commit id costs no process.
func (h *Host) named(ctx context.Context, r repo, name string) string {
	if isSHA(name) {
		return name
	}
	return h.resolve(ctx, r, name)
}

func isSHA(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}
