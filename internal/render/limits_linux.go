package render

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const maxOpenFiles = 32

// limit sets the resource limits of this process, makes it the first to die when memory runs out, and gives up the right
// to gain privileges. Where a limit is lower already it stays.
func limit(memory uint64, cpu time.Duration) error {
	// Raising one's own score needs no privilege. A sandbox without a writable /proc has its own way to run out of memory.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	seconds := uint64(math.Ceil(max(cpu.Seconds(), 1)))
	for _, l := range []struct {
		resource int
		name     string
		value    uint64
	}{
		{unix.RLIMIT_CORE, "core size", 0},
		{unix.RLIMIT_FSIZE, "file size", 0},
		{unix.RLIMIT_NOFILE, "open files", maxOpenFiles},
		{unix.RLIMIT_CPU, "processor time", seconds},
		{unix.RLIMIT_AS, "address space", memory},
	} {
		if l.resource == unix.RLIMIT_AS && raceDetector {
			continue // its shadow memory alone is terabytes of address space
		}
		var now unix.Rlimit
		if err := unix.Getrlimit(l.resource, &now); err != nil {
			return fmt.Errorf("read limit of %s: %w", l.name, err)
		}
		v := min(l.value, now.Max)
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: v, Max: v}); err != nil {
			return fmt.Errorf("limit %s: %w", l.name, err)
		}
	}
	return noPrivileges()
}

// noPrivileges is PR_SET_NO_NEW_PRIVS on all threads, or on this one in a build with cgo, where Go cannot reach them all.
func noPrivileges() error {
	_, _, errno := syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0)
	if errors.Is(errno, syscall.ENOTSUP) {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("give up privileges: %w", err)
		}
		return nil
	}
	if errno != 0 {
		return fmt.Errorf("give up privileges: %w", errno)
	}
	return nil
}

// Harden makes this process not dumpable: no core file, no debugger, and another process of the same user, such as a
// render child, cannot read its memory or environment in /proc (security R1). It makes /proc/self belong to root, so a
// program that is not root must open what it needs there before. Its children are dumpable again.
func Harden() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("make process not dumpable: %w", err)
	}
	return nil
}

// ownGroup puts the child into a process group of its own, which is killed as one. It inherits no descriptor: Go's own are
// close-on-exec, and those that this process was started with are made so; before Linux 5.11 those stay as they are.
func ownGroup(cmd *exec.Cmd) {
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
}

// killedByKernel reports a SIGKILL, which is the kernel's way to free memory once our own reasons to kill are excluded.
func killedByKernel(s *os.ProcessState) bool { return endedBy(s, unix.SIGKILL) }

func outOfCPU(s *os.ProcessState) bool { return endedBy(s, unix.SIGXCPU) }

func endedBy(s *os.ProcessState, sig syscall.Signal) bool {
	if s == nil {
		return false
	}
	w, ok := s.Sys().(syscall.WaitStatus)
	return ok && w.Signaled() && w.Signal() == sig
}
