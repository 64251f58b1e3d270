// Package demo tells the story of slipway against a real `slipway up`: a person with a git work tree, who only pushes,
// and a cluster in which each consequence is looked for. It fails unless all of them were seen.
package demo

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/kube"
	"slipway/internal/local"
)

//go:embed all:k8s-config all:canary
var sample embed.FS

const (
	upWait   = 3 * time.Minute  // a cold devkube on a loaded machine
	seenWait = 60 * time.Second // for each consequence; the sweep is not waited for
	stopWait = 45 * time.Second
)

// Run tells the story and prints each step with the time it took. dir keeps the state; empty uses a temporary folder
// that is removed afterwards. speed is how many times faster than the tutorial's the durations of its canaries are.
func Run(ctx context.Context, dir string, speed int, out io.Writer) (err error) {
	if speed < 1 {
		return fault.New(fault.Invalid, "demo: speed %d: at least 1", speed)
	}
	if dir == "" {
		tmp, err := os.MkdirTemp("", "slipway-demo-")
		if err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		defer func() { _ = os.RemoveAll(tmp) }()
		dir = tmp
	}
	begin := time.Now()
	up, err := start(ctx, filepath.Join(dir, "up"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, up.stop()) }()
	s := &story{out: out, ctx: ctx, tree: filepath.Join(dir, "k8s-config"), ready: up.ready, speed: speed}
	if s.cluster, err = kube.Connect(app.Cluster{Name: app.InCluster, Kubeconfig: up.ready.Kubeconfig}); err != nil {
		return err
	}
	if s.client, err = local.Dial(up.ready.Dir); err != nil {
		return err
	}
	s.say(time.Since(begin), "slipway up is ready: git host, webhook, queues, functions and a Kubernetes API server")
	for _, step := range steps {
		if err := step(s); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	fmt.Fprintf(out, "\nAll of it was seen in the cluster, in %.1f s. Whoever pushed did nothing else.\n", time.Since(begin).Seconds())
	return nil
}

// process is the running `slipway up`.
type process struct {
	cmd   *exec.Cmd
	ready local.Ready
}

func start(ctx context.Context, dir string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find slipway: %w", err)
	}
	cmd := exec.Command(self, "up", "--dir", dir, "--root", repository+":argocd", "--watch") //nolint:gosec,noctx // ourselves; stopped by stop
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start slipway up: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start slipway up: %w", err)
	}
	p := &process{cmd: cmd}
	line := make(chan []byte, 1)
	go func() {
		b, _ := bufio.NewReader(stdout).ReadBytes('\n') // a process that ends without a line gives none
		line <- b
	}()
	select {
	case b := <-line:
		err = json.Unmarshal(b, &p.ready)
	case <-time.After(upWait):
		err = fmt.Errorf("no ready line in %s", upWait)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start slipway up: %w", err), p.stop())
	}
	return p, nil
}

func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("stop slipway up: %w", err)
		}
		return nil
	case <-time.After(stopWait):
		return errors.Join(errors.New("stop slipway up: it does not end"), p.cmd.Process.Kill())
	}
}
