package devkube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// A start takes 2 s on an idle machine and 7 s at a load of 15; the binary itself gives up after 90 s a step.
	startDeadline = 2 * time.Minute
	// A stop takes 1.2 s idle; the binary ends itself after 20 s.
	stopDeadline = 30 * time.Second
)

// ErrExited is the answer of Exited when the cluster went without being asked to and named no error.
var ErrExited = errors.New("exited without an error")

// Options says which cluster to start.
type Options struct {
	Binary string   // path of devkube; "" is what Find answers
	Dir    string   // the cluster's state and logs; kept when it stops, used again when it starts. Required
	Args   []string // flags of `devkube up` beside --dir
	Env    []string // beside this process's own, such as GOMEMLIMIT=8GiB
}

// Process is a running cluster.
type Process struct {
	Kubeconfig string // path; its user is admin in system:masters
	URL        string // of the API server, https://127.0.0.1:PORT
	Prometheus string // its URL, http://127.0.0.1:PORT; "" without --prometheus in Args
	PID        int
	Ready      time.Duration // from Start to ready

	cmd    *exec.Cmd
	stdin  io.Closer
	dir    string
	done   chan struct{} // closed when the process has gone; err is set by then
	err    error
	exited chan error
}

// Start starts devkube and waits until its cluster is ready. ctx bounds the start only: the cluster then runs until
// Stop, or until the calling process is gone, however it went. An error tells the last lines of the logs in Dir.
func Start(ctx context.Context, o Options) (*Process, error) {
	if o.Dir == "" {
		return nil, errors.New("start devkube: no directory given")
	}
	if o.Binary == "" {
		var err error
		if o.Binary, err = Find(); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	p, lines, err := launch(o)
	if err != nil {
		return nil, fmt.Errorf("start devkube: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startDeadline)
	defer cancel()
	line, err := p.firstLine(ctx, lines)
	if err == nil {
		err = p.read(line)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("not ready in %s: %w", time.Since(begin).Round(time.Millisecond), err)
		}
		p.kill()
		return nil, fmt.Errorf("start devkube: %w%s", err, lastLines(o.Dir))
	}
	p.Ready = time.Since(begin)
	return p, nil
}

// firstLine is what the process said first, also if it has gone by then: Exited tells that. One that ends without a word
// is an error.
func (p *Process) firstLine(ctx context.Context, lines <-chan string) (string, error) {
	select {
	case line, said := <-lines:
		if said {
			return line, nil
		}
	case <-ctx.Done():
		return "", ctx.Err()
	}
	select {
	case <-p.done:
		return "", p.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// launch starts the process; the channel gives its first line of standard output.
func launch(o Options) (*Process, <-chan string, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, nil, err
	}
	log, err := os.OpenFile(filepath.Join(o.Dir, logFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own copy
	p := &Process{dir: o.Dir, done: make(chan struct{}), exited: make(chan error, 1)}
	// Not CommandContext: the cluster outlives the context that bounded its start.
	p.cmd = exec.Command(o.Binary, append([]string{"up", "--stop-on-eof", "--dir", o.Dir}, o.Args...)...) //nolint:gosec,noctx // the operator names the binary
	p.cmd.Stderr = log
	p.cmd.Env = append(os.Environ(), o.Env...)
	// The lifeline: the kernel closes our end however this process dies, and devkube stops at the end of its input.
	// Pdeathsig would not do: it fires when the *thread* that forked has gone (prctl(2)), and Go ends threads of its
	// own accord, so a cluster would stop in the middle of a test (golang/go#27505).
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, nil, err
	}
	stdout, out, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	p.cmd.Stdout = out
	// A terminal's ^C goes to the whole foreground group. The caller decides the order of stopping, so not to devkube.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = p.cmd.Start()
	_ = out.Close()
	if err != nil {
		_ = stdout.Close()
		return nil, nil, err
	}
	p.PID = p.cmd.Process.Pid
	lines := make(chan string, 1)
	go firstLine(stdout, lines)
	go p.wait()
	return p, lines, nil
}

func (p *Process) wait() {
	err := p.cmd.Wait()
	if err == nil {
		err = ErrExited
	}
	p.err = err
	p.exited <- fmt.Errorf("devkube: %w%s", err, lastLines(p.dir))
	close(p.exited)
	close(p.done)
}

// Exited gives one error when the process has gone, wanted or not, and is closed then.
func (p *Process) Exited() <-chan error { return p.exited }

// Stop stops the cluster and waits until its process has gone; a process that does not go in 30 s, or before ctx
// ends, is killed, and that is the error. Dir stays. Calling it again is harmless.
func (p *Process) Stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopDeadline)
	defer cancel()
	_ = p.stdin.Close() // the same end as by our death, so every stop tests the lifeline
	select {
	case <-p.done:
		var exit *exec.ExitError
		if errors.As(p.err, &exit) {
			return fmt.Errorf("stop devkube: %w%s", p.err, lastLines(p.dir))
		}
		return nil
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("stop devkube: killed: %w%s", ctx.Err(), lastLines(p.dir))
	}
}

func (p *Process) kill() {
	_ = p.stdin.Close()
	_ = p.cmd.Process.Kill()
	<-p.done
}
