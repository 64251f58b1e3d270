package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// countArchives puts a program called git into dir that notes each archive and becomes the real git. The function it
// returns tells how many there were.
func countArchives(dir string) (func() (int, error), error) {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, fmt.Errorf("find git: %w", err)
	}
	notes := filepath.Join(dir, "archives")
	script := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *' archive '*) echo x >>'%s' ;; esac\nexec '%s' \"$@\"\n", notes, git)
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte(script), 0o700); err != nil { //nolint:gosec // a program
		return nil, fmt.Errorf("write git: %w", err)
	}
	return func() (int, error) {
		b, err := os.ReadFile(notes) //nolint:gosec // ours
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, fmt.Errorf("count archives: %w", err)
		}
		return bytes.Count(b, []byte("\n")), nil
	}, nil
}
