package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"slipway/internal/local/devkube"
)

// machine is what the measurements share: a folder, the binary, and a cluster that is started when it is first needed.
type machine struct {
	dir     string
	slipway string
	soak    time.Duration
	shared  *devkube.Process
}

// newMachine copies the binary: a build beside a measurement must not change what is measured.
func newMachine(bin string, soak time.Duration) (_ *machine, err error) {
	m := &machine{soak: soak}
	if m.dir, err = os.MkdirTemp("", "slipway-bench-"); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	m.slipway = filepath.Join(m.dir, "slipway")
	if err := copyProgram(bin, m.slipway); err != nil {
		return nil, errors.Join(fmt.Errorf("find slipway: run `make build`: %w", err), os.RemoveAll(m.dir))
	}
	return m, nil
}

func copyProgram(from, to string) error {
	in, err := os.Open(from) //nolint:gosec // named by who measures
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o700) //nolint:gosec // a program
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// folder is a new one for one purpose.
func (m *machine) folder(name string) (string, error) {
	d, err := os.MkdirTemp(m.dir, name+"-")
	if err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	return d, nil
}

// cluster is the shared one. It is a process of its own, so what it costs is not counted as ours.
func (m *machine) cluster(ctx context.Context) (*devkube.Process, error) {
	if m.shared != nil {
		return m.shared, nil
	}
	p, err := devkube.Start(ctx, devkube.Options{Dir: filepath.Join(m.dir, "devkube")})
	m.shared = p
	return p, err
}

func (m *machine) close(ctx context.Context) error {
	var err error
	if m.shared != nil {
		err = stopCluster(ctx, m.shared)
	}
	return errors.Join(err, os.RemoveAll(m.dir))
}

// stopCluster stops it also when ctx has ended.
func stopCluster(ctx context.Context, p *devkube.Process) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return p.Stop(ctx)
}

// load is the load average of 1, 5 and 15 minutes; figures from a busy machine are worth less.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	f := strings.Fields(string(b))
	if err != nil || len(f) < 3 {
		return "unknown"
	}
	return strings.Join(f[:3], " ")
}
