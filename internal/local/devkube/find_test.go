package devkube

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func place(t *testing.T, path string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindTakesTheVariableFirst(t *testing.T) {
	path := place(t, filepath.Join(t.TempDir(), "devkube"), 0o755)
	t.Setenv(Variable, path)
	if got, err := Find(); err != nil || got != path {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestFindRefusesAVariableThatNamesNoProgram(t *testing.T) {
	for _, path := range []string{
		filepath.Join(t.TempDir(), "absent"),
		place(t, filepath.Join(t.TempDir(), "plain"), 0o644),
		t.TempDir(),
	} {
		t.Setenv(Variable, path)
		if _, err := Find(); err == nil || !strings.Contains(err.Error(), Variable+"="+path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestFindLooksBesideGoModFromTheWorkingDirectoryUpwards(t *testing.T) {
	t.Setenv(Variable, "")
	root := t.TempDir()
	place(t, filepath.Join(root, "go.mod"), 0o644)
	place(t, filepath.Join(root, "test", "devkube", "go.mod"), 0o644) // the nested module is passed by
	path := place(t, filepath.Join(root, built), 0o755)
	t.Chdir(filepath.Join(root, "test", "devkube"))
	if got, err := Find(); err != nil || got != path {
		t.Fatalf("%q, %v; want %q", got, err, path)
	}
}

func TestFindSaysHowToBuildWhatIsMissing(t *testing.T) {
	t.Setenv(Variable, "")
	t.Chdir(t.TempDir())
	_, err := Find()
	if !errors.Is(err, ErrNotBuilt) || !strings.Contains(err.Error(), "make devkube") {
		t.Fatal(err)
	}
}
