//go:build !linux

package render

import (
	"os"
	"os/exec"
	"time"
)

// limit does nothing where there is no Linux: there the deadline, the stack limit and the cap of the answer are left.
// Functions run on Linux.
func limit(uint64, time.Duration) error { return nil }

// Harden does nothing where there is no Linux.
func Harden() error { return nil }

func ownGroup(*exec.Cmd) {}

func killedByKernel(*os.ProcessState) bool { return false }

func outOfCPU(*os.ProcessState) bool { return false }
