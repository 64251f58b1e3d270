package bundle

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

// walk visits every regular file of the archive, by its path from the root of the repository, after it has been checked.
// Nothing is visited before the archive has said that it is of commit sha.
func walk(ctx context.Context, archive io.Reader, sha revision.SHA, limits Limits, visit func(name string, size int64, body io.Reader) error) error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("refuse archive of %s: %w", sha.Short(), fault.New(fault.Invalid, format, args...))
	}
	m := &meter{ctx: ctx, compressed: counter{r: archive}, limits: limits}
	broken := func(err error) error { return m.broken(sha, err) }
	z, err := gzip.NewReader(&m.compressed)
	if err != nil {
		return broken(err)
	}
	m.z = z
	w := walker{sha: sha, names: newNames()}
	t := tar.NewReader(m)
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return broken(err)
		}
		if n > limits.Entries {
			return refuse("more than %d entries", limits.Entries)
		}
		name, file, err := w.entry(n, h)
		if err != nil {
			return refuse("%w", err)
		}
		if !file {
			continue
		}
		if err := visit(name, h.Size, t); err != nil {
			return broken(err)
		}
	}
	// The rest is padding, and then gzip's checksum: only a stream that ends well was whole (faults 36).
	if _, err := io.Copy(io.Discard, m); err != nil {
		return broken(err)
	}
	if w.top == "" {
		return refuse("it is empty")
	}
	return nil
}

// walker checks one header after the other.
type walker struct {
	sha   revision.SHA
	top   string
	names names
}

// entry is the path of a regular file, or an error that names what is wrong with the archive. Everything but regular
// files and directories is refused as a whole (security S2: CVE-2026-50162, CVE-2025-62156).
func (w *walker) entry(n int, h *tar.Header) (name string, file bool, err error) {
	if h.Typeflag == tar.TypeXGlobalHeader {
		if h.PAXRecords["comment"] != string(w.sha) {
			return "", false, fmt.Errorf("it is of commit %.64q", h.PAXRecords["comment"])
		}
		return "", false, nil
	}
	if n == 0 {
		return "", false, errors.New("it does not say of which commit it is")
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeSymlink, tar.TypeLink:
		return "", false, fmt.Errorf("%.200q is a link (to %.200q)", h.Name, h.Linkname)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return "", false, fmt.Errorf("%.200q is a device or a fifo", h.Name)
	default:
		return "", false, fmt.Errorf("%.200q is of type %q, neither a file nor a directory", h.Name, h.Typeflag)
	}
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return "", false, fmt.Errorf("%.200q is a sparse file", h.Name)
		}
	}
	full := h.Name
	if h.Typeflag == tar.TypeDir {
		full = strings.TrimSuffix(full, "/")
	}
	if err := checkName(full); err != nil {
		return "", false, err
	}
	top, name, inside := strings.Cut(full, "/")
	if err := w.checkTop(top); err != nil {
		return "", false, err
	}
	if !inside {
		if h.Typeflag == tar.TypeReg {
			return "", false, fmt.Errorf("%.200q lies outside of the top directory", full)
		}
		return "", false, w.names.add(full)
	}
	return name, h.Typeflag == tar.TypeReg, w.names.add(full)
}

// checkTop wants one top directory that ends with the commit id, in full or shortened: OWNER-NAME-1a2b3c4 (security S5).
func (w *walker) checkTop(top string) error {
	if top == w.top {
		return nil
	}
	if w.top != "" {
		return fmt.Errorf("it has two top directories, %.100q and %.100q", w.top, top)
	}
	id := top[strings.LastIndexByte(top, '-')+1:]
	if len(id) < 7 || len(id) == len(top) || !strings.HasPrefix(string(w.sha), id) {
		return fmt.Errorf("its top directory %.100q is not of this commit", top)
	}
	w.top = top
	return nil
}
