package bundle

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

// meter is the expanded stream, counted as it comes: what a header claims decides nothing (security S4; CVE-2025-32386
// was an archive of 800 times its size).
type meter struct {
	ctx        context.Context // lives for one walk
	compressed counter
	z          *gzip.Reader
	expanded   int64
	limits     Limits
	err        error // what we found, whatever tar and gzip make of it
}

func (m *meter) Read(p []byte) (int, error) {
	if m.err == nil {
		if err := m.ctx.Err(); err != nil {
			m.err = fault.Wrap(fault.Unavailable, err)
		}
	}
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.z.Read(p)
	m.expanded += int64(n)
	switch {
	case m.expanded > m.limits.Stream:
		m.err = fault.New(fault.Invalid, "it expands to more than %d bytes", m.limits.Stream)
	case m.expanded > m.limits.RatioFloor && m.expanded/m.limits.Ratio > m.compressed.n:
		m.err = fault.New(fault.Invalid, "it expands to more than %d times its size", m.limits.Ratio)
	default:
		return n, err
	}
	return n, m.err
}

// broken is what a failed read means: what we refused, what the reader below said, or an archive that is not whole.
func (m *meter) broken(sha revision.SHA, err error) error {
	switch {
	case m.err != nil && fault.Is(m.err, fault.Invalid):
		return fmt.Errorf("refuse archive of %s: %w", sha.Short(), m.err)
	case m.err != nil:
		return fmt.Errorf("read archive of %s: %w", sha.Short(), m.err)
	case m.compressed.err != nil:
		err = m.compressed.err
		if fault.Of(err) == fault.Internal {
			err = fault.Wrap(fault.Unavailable, err)
		}
		return fmt.Errorf("read archive of %s: %w", sha.Short(), err)
	}
	return fault.New(fault.Unavailable, "read archive of %s: it is truncated or corrupt: %w", sha.Short(), err)
}

// counter counts what is received and remembers why that ended.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}
