// Package render turns an application's inputs into Kubernetes objects: Helm charts and plain folders of manifests. It
// does so in a child process, because 21 bytes of template can end a process and no recover helps (security R1). It reads
// no file, opens no connection and knows no cluster.
package render

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// ChildCommand is the first argument with which this program runs Child.
const ChildCommand = "render-child"

const (
	defaultDeadline = 8 * time.Second
	maxDeadline     = 20 * time.Second
	defaultMemory   = 2 << 30
	maxAnswer       = manifest.MaxTotal + 4<<20 // bytes of the child's answer: the objects, their files, the warnings
	maxStderr       = 16 << 10
	reapDelay       = time.Second
)

// Options are what a Renderer may be told. The zero value is meant to be used.
type Options struct {
	Binary   string        // the program that runs Child when its first argument is ChildCommand; "" is this one
	Deadline time.Duration // of one rendering; 0 is 8 s, more than 20 s is 20 s
	Memory   uint64        // bytes of address space of a child; 0 is 2 GiB; with 1 GiB Go's runtime dies of real charts
	Parallel int           // renderings at once; 0 is one a processor
}

// Renderer renders in child processes. It may be used by several goroutines.
type Renderer struct {
	binary   string
	args     []string
	deadline time.Duration
	memory   uint64
	slots    chan struct{}
}

// New makes a Renderer.
func New(o Options) *Renderer {
	return &Renderer{
		binary:   o.Binary,
		args:     []string{ChildCommand},
		deadline: min(cmp.Or(max(o.Deadline, 0), defaultDeadline), maxDeadline),
		memory:   cmp.Or(o.Memory, defaultMemory),
		slots:    make(chan struct{}, cmp.Or(max(o.Parallel, 0), runtime.NumCPU())),
	}
}

var (
	errDeadline = errors.New("render deadline")
	errAnswer   = errors.New("answer too large")
)

// Render renders the application for the target. What is wrong with the application, a rendering that had to be killed
// included, is fault.Invalid and holds no values; when ctx ends first the error is fault.Unavailable; a child that cannot
// be started or does not speak is fault.Internal. Nothing is tried twice (security R2).
func (r *Renderer) Render(ctx context.Context, in app.Inputs, t app.Target) (manifest.Rendered, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return manifest.Rendered{}, fault.Wrap(fault.Unavailable, fmt.Errorf("render %s: %w", in.Application.Key(), ctx.Err()))
	}
	ask, err := request{Memory: r.memory, CPU: r.deadline, Target: t, Inputs: in}.encode()
	if err != nil {
		return manifest.Rendered{}, fmt.Errorf("render %s: %w", in.Application.Key(), err)
	}
	limited, cancel := context.WithTimeoutCause(ctx, r.deadline, errDeadline)
	defer cancel()
	answer, err := r.run(limited, ask)
	if ctx.Err() != nil {
		return manifest.Rendered{}, fault.Wrap(fault.Unavailable, fmt.Errorf("render %s: %w", in.Application.Key(), ctx.Err()))
	}
	if err != nil {
		return manifest.Rendered{}, fmt.Errorf("render %s: %w", in.Application.Source.Path, err)
	}
	return decodeAnswer(answer)
}

// run starts the child, gives it ask, and returns what it answers. The environment is empty and nothing is inherited but
// three pipes. Standard input stays open until the child has ended: its end tells a child that its parent is gone
// (Pdeathsig would fire when the thread that started it goes).
func (r *Renderer) run(ctx context.Context, ask []byte) ([]byte, error) {
	defer clear(ask) // security X10
	binary := r.binary
	if binary == "" {
		var err error
		if binary, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find own program: %w", err)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(ctx, binary, r.args...) //nolint:gosec // our own program, not a word of it from outside
	cmd.Env = []string{}
	cmd.Dir = "/"
	cmd.WaitDelay = reapDelay
	ownGroup(cmd)
	answer := &capped{limit: maxAnswer, full: func() { cancel(errAnswer) }}
	stderr := &capped{limit: maxStderr, full: func() {}}
	cmd.Stdout, cmd.Stderr = answer, stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start child: %w", err)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = stdin.Write(ask) // a child that ends early says why by how it ends
	}()
	err = cmd.Wait()
	<-written
	if err == nil && answer.over == 0 {
		return answer.data, nil
	}
	return nil, r.death(context.Cause(ctx), cmd.ProcessState, stderr.data)
}
