package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// sweepWait is for one sweep, on a machine that is starved.
const sweepWait = 2 * time.Minute

// sweepProcess is this program as a child that sweeps or lists.
type sweepProcess struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	turns chan turn // closed when it has ended
}

func (c *crowd) start(mode string) (*sweepProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	cmd := exec.Command(self, childArg, mode, c.cluster.Kubeconfig, c.state) //nolint:gosec,noctx // ourselves; ended by stop
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a child: %w", err)
	}
	p := &sweepProcess{cmd, in, make(chan turn)}
	go func() {
		defer close(p.turns)
		for d := json.NewDecoder(bufio.NewReader(out)); ; {
			var t turn
			if d.Decode(&t) != nil {
				return
			}
			p.turns <- t
		}
	}()
	return p, nil
}

func (p *sweepProcess) pid() int { return p.cmd.Process.Pid }

// once has it sweep, or list, once.
func (p *sweepProcess) once(ctx context.Context) (turn, error) {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return turn{}, fmt.Errorf("ask the child: %w", err)
	}
	select {
	case t, ok := <-p.turns:
		if !ok {
			return t, errors.New("the child has ended")
		}
		return t, nil
	case <-time.After(sweepWait):
		return turn{}, errors.New("the child does not answer")
	case <-ctx.Done():
		return turn{}, ctx.Err()
	}
}

// stop lets it end, or kills it.
func (p *sweepProcess) stop() error {
	_ = p.in.Close() // it may have ended
	select {
	case <-p.turns:
	case <-time.After(stopWait):
		_ = p.cmd.Process.Kill()
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("stop a child: %w", err)
	}
	return nil
}
