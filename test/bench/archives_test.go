package main

import (
	"os/exec"
	"path/filepath"
	"testing"
)

func TestEachArchiveIsCountedAndGitIsStillGit(t *testing.T) {
	dir := t.TempDir()
	count, err := countArchives(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, args := range [][]string{{"version"}, {"archive", "--list"}, {"--no-pager", "archive", "-l"}} {
		if out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "git"), args...).CombinedOutput(); err != nil || len(out) == 0 {
			t.Fatalf("git %v: %s, %v", args, out, err)
		}
		if got, err := count(); err != nil || got != i {
			t.Errorf("after git %v: %d archives, %v, want %d", args, got, err, i)
		}
	}
}
