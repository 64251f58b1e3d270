// Package up runs the real `slipway up`, the binary as a user has it, for tests that see the whole: as a process that
// is stopped, killed and started again, beside a person who only pushes to git and a client that looks on.
package up

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"slipway/internal/local"
	"slipway/test/cluster"
)

// Binary is the slipway under test. Build sets it.
var Binary string

const (
	readyWait = time.Minute // a cluster is there already; so long only when the machine is starved
	stopWait  = 45 * time.Second
)

// Build compiles the command into dir, once for a test binary. root is the module's folder as seen from the test's.
func Build(dir, root string) error {
	path := filepath.Join(dir, "slipway")
	cmd := exec.Command("go", "build", "-o", path, ".") //nolint:gosec,noctx // ended by the test binary's own timeout
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build slipway: %w: %s", err, out)
	}
	Binary = path
	return nil
}

// Main is the TestMain of a package that needs slipway and a cluster: it builds the one and shares the other. root is the
// module's folder as seen from the package's.
func Main(m *testing.M, root string) int {
	return cluster.Run(func() int {
		dir, err := os.MkdirTemp("", "slipway-test-")
		if err == nil {
			defer func() { _ = os.RemoveAll(dir) }()
			err = Build(dir, root)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	})
}

// Options are the flags of `slipway up`.
type Options struct {
	Dir        string // a temporary folder if empty
	Kubeconfig string
	Config     string
	Root       string
	Sweep      time.Duration
	Drift      time.Duration
	Watch      bool
}

// Process is a running `slipway up`.
type Process struct {
	local.Ready
	Client *local.Client
	Dir    string

	t    testing.TB
	opts Options
	cmd  *exec.Cmd
	gone chan error
}

// Start starts it and waits until it answers. It is stopped at the test's end; a process that does not end cleanly
// then fails the test.
func Start(t testing.TB, o Options) *Process {
	t.Helper()
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "up")
	}
	p := &Process{t: t, opts: o, Dir: o.Dir}
	p.start()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("slipway.log:\n%s", tail(filepath.Join(o.Dir, "slipway.log"), 40))
		}
		p.Stop()
	})
	return p
}

func (p *Process) start() {
	p.t.Helper()
	o := p.opts
	args := []string{"up", "--dir", o.Dir}
	for _, f := range [][2]string{{"--kubeconfig", o.Kubeconfig}, {"--config", o.Config}, {"--root", o.Root}} {
		if f[1] != "" {
			args = append(args, f[0], f[1])
		}
	}
	if o.Sweep != 0 {
		args = append(args, "--sweep", o.Sweep.String())
	}
	if o.Drift != 0 {
		args = append(args, "--drift", o.Drift.String())
	}
	if o.Watch {
		args = append(args, "--watch")
	}
	p.cmd = exec.Command(Binary, args...) //nolint:gosec,noctx // what was built; stopped below
	var said strings.Builder
	p.cmd.Stderr = &said
	stdout, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.t.Fatal("start slipway up:", err)
	}
	line := make(chan []byte, 1)
	p.gone = make(chan error, 1)
	go func() {
		b, _ := bufio.NewReader(stdout).ReadBytes('\n') // a process that ends without a line gives none
		line <- b
		p.gone <- p.cmd.Wait()
	}()
	select {
	case b := <-line:
		if err := json.Unmarshal(b, &p.Ready); err != nil {
			p.t.Fatalf("start slipway up: ready line %q: %v: %v %s", b, err, <-p.gone, said.String())
		}
	case <-time.After(readyWait):
		_ = p.cmd.Process.Kill()
		p.t.Fatalf("start slipway up: no ready line in %s", readyWait)
	}
	if p.Client, err = local.Dial(o.Dir); err != nil {
		p.t.Fatal(err)
	}
}

// Kill is kill -9: nothing is told, nothing is saved.
func (p *Process) Kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal("kill slipway up:", err)
	}
	if err := <-p.gone; err == nil {
		p.t.Fatal("kill slipway up: it had ended by itself")
	}
	p.cmd = nil
}

// Stop asks it to end and waits until it has. Stopping what is gone already is fine.
func (p *Process) Stop() {
	p.t.Helper()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may be gone
	select {
	case err := <-p.gone:
		if err != nil {
			p.t.Error("stop slipway up:", err)
		}
	case <-time.After(stopWait):
		p.t.Error("stop slipway up: it does not end", p.cmd.Process.Kill())
	}
	p.cmd = nil
}

// Again starts it with the same folder and flags, after Kill or Stop.
func (p *Process) Again() {
	p.t.Helper()
	p.start()
}

// Peak is the most memory that the process has used, in MiB (VmHWM of proc(5)).
func (p *Process) Peak() int {
	p.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal("read memory of slipway up:", err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kib, err := strconv.Atoi(f[1])
			if err == nil {
				return kib / 1024
			}
		}
	}
	p.t.Fatal("read memory of slipway up: no VmHWM")
	return 0
}

// On is the same process for a subtest, which then fails itself. It is not to be killed or stopped through it.
func (p *Process) On(t testing.TB) *Process {
	c := *p
	c.t = t
	return &c
}

// Run is one call of the command line: what it printed, and its exit code.
func (p *Process) Run(args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	return Run(p.t, append(args, "--dir", p.Dir)...)
}

// Run is one call of the command line without a running `slipway up`.
func Run(t testing.TB, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	cmd := exec.CommandContext(t.Context(), Binary, args...) //nolint:gosec // what was built
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("slipway %s: %v", strings.Join(args, " "), err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func tail(path string, lines int) string {
	b, err := os.ReadFile(path) //nolint:gosec // of the test
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
