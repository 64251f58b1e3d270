package render

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// state is what a child says of itself after it has limited itself.
type state struct {
	Environment []string
	Limits      map[string]uint64
	Score       string
	NoNewPrivs  bool
	Dumpable    [2]int // before and after Harden
	Descriptors int
}

var limited = map[string]int{
	"core": unix.RLIMIT_CORE, "file": unix.RLIMIT_FSIZE, "open": unix.RLIMIT_NOFILE, "cpu": unix.RLIMIT_CPU, "memory": unix.RLIMIT_AS,
}

// inspect is a child that restricts itself as Child does, and says what that has made of it.
func inspect() int {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 1
	}
	var s state
	for _, fd := range fds {
		to, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err != nil || strings.HasPrefix(to, "anon_inode:") || strings.HasPrefix(to, "/proc/") || strings.HasPrefix(to, "/sys/fs/cgroup/") {
			continue // the runtime's own
		}
		s.Descriptors++
	}
	if err := restrict(defaultMemory, defaultDeadline); err != nil {
		return complain(exitLimits, err)
	}
	s.Environment, s.Limits = os.Environ(), map[string]uint64{}
	for name, resource := range limited {
		var l unix.Rlimit
		if err := unix.Getrlimit(resource, &l); err != nil || l.Cur != l.Max {
			return 1
		}
		s.Limits[name] = l.Max
	}
	score, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return 1
	}
	s.Score = strings.TrimSpace(string(score))
	n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	s.NoNewPrivs = err == nil && n == 1
	for i := range s.Dumpable {
		if s.Dumpable[i], err = unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil {
			return 1
		}
		if err := Harden(); err != nil {
			return complain(1, err)
		}
	}
	if json.NewEncoder(os.Stdout).Encode(s) != nil {
		return 1
	}
	return 0
}

func TestTheChildLimitsItselfAndInheritsNothing(t *testing.T) {
	t.Setenv("SLIPWAY_CANARY", "CANARY")
	inherited, err := unix.Open("/dev/null", unix.O_RDONLY, 0) // without O_CLOEXEC, as from a careless parent of ours
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(inherited) }()
	r := New(Options{})
	r.args = []string{"inspect"}
	out, err := r.run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got state
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := state{
		Environment: []string{},
		Limits:      map[string]uint64{"core": 0, "file": 0, "open": maxOpenFiles, "cpu": 18, "memory": defaultMemory},
		Score:       "1000",
		NoNewPrivs:  true,
		Dumpable:    [2]int{1, 0},
		Descriptors: 3,
	}
	if raceDetector {
		want.Limits["memory"] = got.Limits["memory"]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("child differs (-want +got):\n%s", diff)
	}
}

// TestAChildWhoseParentIsGoneEnds: its standard input ends with the parent, and nothing else would tell it.
func TestAChildWhoseParentIsGoneEnds(t *testing.T) {
	ask, err := request{Memory: defaultMemory, CPU: maxDeadline, Target: target, Inputs: chartWith(
		`{{range until 30000}}{{range until 30000}}{{range until 30000}}{{end}}{{end}}{{end}}`, "")}.encode()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), maxDeadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], ChildCommand)
	cmd.Env, cmd.Stdin = []string{}, bytes.NewReader(ask)
	var ended *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &ended) || ended.ExitCode() != exitOrphan {
		t.Errorf("child ended with %v, want exit code %d", err, exitOrphan)
	}
}

// TestAKilledChildIsGone: the process is waited for, so it cannot be signalled any more.
func TestAKilledChildIsGone(t *testing.T) {
	r := New(Options{Deadline: 300 * time.Millisecond})
	if _, err := r.Render(t.Context(), chartWith(`{{range until 30000}}{{range until 30000}}{{range until 30000}}{{end}}{{end}}{{end}}`, ""), target); err == nil {
		t.Fatal("the render ended by itself")
	}
	var status unix.WaitStatus
	if pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
		t.Errorf("child %d is left: %v", pid, err)
	}
}
