package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"slipway/internal/app"
	"slipway/internal/local"
)

const (
	readyWait = time.Minute
	stopWait  = 45 * time.Second
	seenWait  = time.Minute // for one consequence of a push
)

// slipway is a running `slipway up`.
type slipway struct {
	cmd    *exec.Cmd
	ready  local.Ready
	client *local.Client
	log    *logFile
}

// up starts the binary against a cluster; the repository's folder argocd holds its Applications. path, where it is not
// empty, comes first in the process's PATH.
func (m *machine) up(ctx context.Context, kubeconfig, repository, path string) (*slipway, error) {
	dir, err := m.folder("up")
	if err != nil {
		return nil, err
	}
	return m.start(ctx, dir, path, "--kubeconfig", kubeconfig, "--root", repository+":argocd", "--sweep", "1h")
}

// start starts it in a folder.
func (m *machine) start(ctx context.Context, dir, path string, flags ...string) (*slipway, error) {
	cmd := exec.Command(m.slipway, append([]string{"up", "--dir", dir}, flags...)...) //nolint:gosec,noctx // stopped by stop
	cmd.Stderr = os.Stderr
	if path != "" {
		cmd.Env = append(os.Environ(), "PATH="+path+string(filepath.ListSeparator)+os.Getenv("PATH"))
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start slipway up: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start slipway up: %w", err)
	}
	s := &slipway{cmd: cmd, log: &logFile{path: filepath.Join(dir, "slipway.log")}}
	if err := s.begin(ctx, bufio.NewReader(stdout)); err != nil {
		return nil, errors.Join(fmt.Errorf("start slipway up: %w", err), s.stop())
	}
	return s, nil
}

func (s *slipway) begin(ctx context.Context, stdout *bufio.Reader) error {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	line := make(chan []byte, 1)
	go func() {
		b, _ := stdout.ReadBytes('\n') // a process that ends without a line gives none
		line <- b
	}()
	select {
	case b := <-line:
		if err := json.Unmarshal(b, &s.ready); err != nil {
			return fmt.Errorf("read ready line: %w", err)
		}
	case <-ctx.Done():
		return fmt.Errorf("no ready line: %w", ctx.Err())
	}
	var err error
	s.client, err = local.Dial(s.ready.Dir)
	return err
}

func (s *slipway) pid() int { return s.cmd.Process.Pid }

func (s *slipway) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("stop slipway up: %w", err)
		}
		return nil
	case <-time.After(stopWait):
		return errors.Join(errors.New("stop slipway up: it does not end"), s.cmd.Process.Kill())
	}
}

// settled waits until so many applications are registered, all of them are synced and nothing is under way, and returns
// them.
func (s *slipway) settled(ctx context.Context, count int) (map[app.Name]local.Application, error) {
	all := map[app.Name]local.Application{}
	err := until(ctx, 50*time.Millisecond, 3*seenWait, func() (bool, error) {
		apps, err := s.client.Applications(ctx)
		if err != nil || len(apps) != count {
			return false, err
		}
		for _, a := range apps {
			if a.Status != "Synced" || a.Record.Lock.Owner != "" {
				return false, nil
			}
			all[a.Name] = a
		}
		return true, nil
	})
	if err != nil {
		return nil, fmt.Errorf("wait for %d applications to be synced: %w", count, err)
	}
	return all, s.idle(ctx)
}
