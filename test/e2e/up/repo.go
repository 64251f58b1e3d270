package up

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Repo is a person's work tree of one repository on the git host.
type Repo struct {
	Name string // owner/name
	Tree string
	t    testing.TB
	up   *Process
}

// Repo makes an empty work tree of owner/name.
func (p *Process) Repo(name string) *Repo {
	p.t.Helper()
	r := &Repo{Name: name, Tree: filepath.Join(p.t.TempDir(), "tree"), t: p.t, up: p}
	if err := os.MkdirAll(r.Tree, 0o700); err != nil {
		p.t.Fatal(err)
	}
	r.Git("init", "-q", "-b", "main")
	return r
}

// URL is the repository as Applications name it.
func (r *Repo) URL() string { return "https://github.com/" + r.Name }

// TryGit runs git in the work tree, without the user's own settings.
func (r *Repo) TryGit(args ...string) (string, error) {
	cmd := exec.CommandContext(r.t.Context(), "git", args...) //nolint:gosec // the test's own arguments
	cmd.Dir = r.Tree
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=CI", "GIT_AUTHOR_EMAIL=ci@myorg.com", "GIT_COMMITTER_NAME=CI", "GIT_COMMITTER_EMAIL=ci@myorg.com")
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return text, fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, text)
	}
	return text, nil
}

// Git is TryGit for what must work.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	out, err := r.TryGit(args...)
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// Write replaces files, by their path in the repository.
func (r *Repo) Write(files map[string]string) {
	r.t.Helper()
	for name, text := range files {
		path := filepath.Join(r.Tree, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
}

// Copy puts a file or folder of the disk into the work tree.
func (r *Repo) Copy(from, to string) {
	r.t.Helper()
	path := filepath.Join(r.Tree, filepath.FromSlash(to))
	info, err := os.Stat(from)
	if err != nil {
		r.t.Fatal(err)
	}
	if info.IsDir() {
		if err := os.CopyFS(path, os.DirFS(from)); err != nil {
			r.t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(from) //nolint:gosec // the test's own file
	if err != nil {
		r.t.Fatal(err)
	}
	r.Write(map[string]string{to: string(b)})
}

// Remove deletes a file or folder.
func (r *Repo) Remove(name string) {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.Tree, filepath.FromSlash(name))); err != nil {
		r.t.Fatal(err)
	}
}

// Edit replaces text in a file; it must be there.
func (r *Repo) Edit(name, old, with string) {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.Tree, name)) //nolint:gosec // the test's own file
	if err != nil {
		r.t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		r.t.Fatalf("edit %s: it does not contain %q", name, old)
	}
	r.Write(map[string]string{name: strings.ReplaceAll(string(b), old, with)})
}

// Commit commits everything and answers with the commit's id.
func (r *Repo) Commit(message string) string {
	r.t.Helper()
	r.Git("add", "-A")
	r.Git("commit", "-q", "--allow-empty", "-m", message)
	return r.Git("rev-parse", "HEAD")
}

// TryPush pushes what is committed, by HTTP, as a person does: the git host announces it by webhook.
func (r *Repo) TryPush(args ...string) error {
	_, err := r.TryGit(append([]string{"push", "-q", r.up.Ready.Git + "/" + r.Name + ".git", "main"}, args...)...)
	return err
}

// Push commits everything and pushes it.
func (r *Repo) Push(message string) string {
	r.t.Helper()
	sha := r.Commit(message)
	if err := r.TryPush(); err != nil {
		r.t.Fatal(err)
	}
	return sha
}

// PushUnannounced pushes what is committed into the host's own folder, past its HTTP: no webhook tells of it.
func (r *Repo) PushUnannounced(args ...string) {
	r.t.Helper()
	r.Git(append([]string{"push", "-q", filepath.Join(r.up.Dir, "git", strings.ToLower(r.Name)+".git"), "main"}, args...)...)
}

// Head is the last commit's id.
func (r *Repo) Head() string {
	r.t.Helper()
	return r.Git("rev-parse", "HEAD")
}

// IsAncestor reports whether commit old is new or among its ancestors.
func (r *Repo) IsAncestor(old, young string) bool {
	r.t.Helper()
	_, err := r.TryGit("merge-base", "--is-ancestor", old, young)
	return err == nil
}
