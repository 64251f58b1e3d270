package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/state"
)

// blobs is a folder: DIR/ab/cdef..., 256 folders by the digest's first byte. New files are written in DIR/new and moved
// to their place whole, so that a killed process leaves no half of one.
type blobs struct{ dir string }

const fresh = "new"

func openBlobs(dir string) (blobs, error) {
	// What a killed process left half written. Nobody else writes here: the lock of the file is held.
	if err := os.RemoveAll(filepath.Join(dir, fresh)); err != nil {
		return blobs{}, fmt.Errorf("open blobs: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, fresh), 0o700); err != nil {
		return blobs{}, fmt.Errorf("open blobs: %w", err)
	}
	return blobs{dir: dir}, nil
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (b blobs) path(digest string) (string, error) {
	if !digestForm.MatchString(digest) { // it becomes a path
		return "", fault.New(fault.Invalid, "%.80q is not a digest", digest)
	}
	hex := digest[len("sha256:"):]
	return filepath.Join(b.dir, hex[:2], hex[2:]), nil
}

func (b blobs) Put(ctx context.Context, data []byte) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("write blob: %w", err)
	}
	if len(data) > state.BlobCap {
		return "", fault.New(fault.Invalid, "write blob: %d bytes, more than %d", len(data), state.BlobCap)
	}
	digest := app.Digest(data)
	path, err := b.path(digest)
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(data)) {
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) { //nolint:gosec // the path is a digest
			return digest, nil
		}
	}
	if err := b.write(path, data); err != nil {
		return "", fmt.Errorf("write blob %s: %w", digest, err)
	}
	return digest, nil
}

// write syncs the file and its folder: a record that names the blob must not outlive it.
func (b blobs) write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Join(b.dir, fresh), "") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (b blobs) Get(ctx context.Context, digest string) ([]byte, error) {
	path, err := b.path(digest)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	f, err := os.Open(path) //nolint:gosec // the path is a digest
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "read blob %s: there is none", digest)
	}
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", digest, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, state.BlobCap+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read blob %s: %w", digest, err)
	}
	if app.Digest(data) != digest {
		return nil, fmt.Errorf("read blob %s: its content is damaged", digest)
	}
	return data, nil
}
