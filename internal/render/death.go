package render

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"slipway/internal/fault"
)

// stackOverflow and outOfMemory are how Go's runtime says why it ends (runtime/stack.go, runtime/malloc.go, and
// runtime/os_linux.go for threads without room for a stack).
var (
	stackOverflow = [][]byte{[]byte("stack overflow"), []byte("goroutine stack exceeds")}
	outOfMemory   = [][]byte{[]byte("out of memory"), []byte("cannot allocate memory"), []byte("failed to create new OS thread"),
		[]byte("failed to allocate"), []byte("makeslice: len out of range"), []byte("Repeat output length overflow")}
)

// death says why a child ended without an answer. What it wrote to standard error decides and is never shown: a panic
// prints what it was given.
func (r *Renderer) death(cause error, state *os.ProcessState, stderr []byte) error {
	invalid := func(reason string) error { return fault.New(fault.Invalid, "killed: %s", reason) }
	switch {
	case errors.Is(cause, errDeadline):
		return invalid(fmt.Sprintf("%v deadline", r.deadline.Round(time.Millisecond)))
	case errors.Is(cause, errAnswer):
		return invalid(fmt.Sprintf("output over %d MiB", maxAnswer>>20))
	case containsAny(stderr, stackOverflow):
		return invalid("memory: a template calls itself without end")
	case containsAny(stderr, outOfMemory), killedByKernel(state):
		return invalid("memory")
	case outOfCPU(state):
		return invalid("processor time")
	case state == nil:
		return fault.New(fault.Internal, "child did not end")
	}
	return fault.New(fault.Internal, "child ended without an answer: %s", state)
}

func containsAny(b []byte, any [][]byte) bool {
	for _, a := range any {
		if bytes.Contains(b, a) {
			return true
		}
	}
	return false
}
