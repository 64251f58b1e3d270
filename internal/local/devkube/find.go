// Package devkube runs the development cluster: the binary that test/devkube builds, a whole Kubernetes control
// plane in one process. It starts it, knows when it is ready, and leaves nothing behind.
package devkube

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Variable names the environment variable that holds the binary's path.
const Variable = "SLIPWAY_DEVKUBE"

// built is where test/devkube/build.sh leaves the newest build, beside go.mod.
var built = filepath.Join(".cache", "devkube", "current", "devkube")

// ErrNotBuilt says that there is no binary and how to get one.
var ErrNotBuilt = errors.New("devkube is not built: run `make devkube`, or set " + Variable + " to the binary")

// Find answers with the absolute path of the devkube binary: what SLIPWAY_DEVKUBE names, else the one built in the
// module that the working directory, or else this executable, lies in. ErrNotBuilt when there is none.
func Find() (string, error) {
	if path := os.Getenv(Variable); path != "" {
		if !runnable(path) {
			return "", fmt.Errorf("find devkube: %s=%s is not an executable file", Variable, path)
		}
		return filepath.Abs(path)
	}
	var from []string
	if dir, err := os.Getwd(); err == nil {
		from = append(from, dir)
	}
	if exe, err := os.Executable(); err == nil {
		from = append(from, filepath.Dir(exe))
	}
	for _, dir := range from {
		if path, ok := above(dir); ok {
			return path, nil
		}
	}
	return "", ErrNotBuilt
}

// above looks in dir and its parents, where a go.mod is. The nested module test/devkube has no build beside its
// own, so the search goes on past it.
func above(dir string) (string, bool) {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			if path := filepath.Join(dir, built); runnable(path) {
				return path, true
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

func runnable(path string) bool {
	info, err := os.Stat(path) //nolint:gosec // the operator names it
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}
