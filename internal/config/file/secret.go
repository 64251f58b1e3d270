package file

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"slipway/internal/fault"
	"slipway/internal/secret"
)

// Secret is the secret kept in the file at path, which is made with a random one if it is missing. Only its owner may
// read the file.
func Secret(path string) (secret.Value, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return secret.Value{}, fmt.Errorf("make secret %s: %w", path, err)
		}
	}
	return ReadSecret(path)
}

// ReadSecret is the secret kept in the file at path. Only its owner may read the file; an empty one is no secret.
func ReadSecret(path string) (secret.Value, error) {
	info, err := os.Stat(path)
	if err != nil {
		return secret.Value{}, fmt.Errorf("read secret: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return secret.Value{}, fault.New(fault.Denied, "read secret %s: others may read it: run chmod 600", path)
	}
	b, err := os.ReadFile(path) //nolint:gosec // as above
	if err != nil {
		return secret.Value{}, fmt.Errorf("read secret: %w", err)
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return secret.Value{}, fault.New(fault.Denied, "read secret %s: it is empty", path)
	}
	return secret.Of(text), nil
}

// create writes a random secret all at once: two that start together get the same one, and a crash leaves none by half.
func create(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // left over at worst
	_, err = io.WriteString(f, rand.Text()+rand.Text()+"\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
