package render

import (
	"bufio"
	"fmt"
	"io"
	"log" //nolint:depguard // where Helm's packages log, so that it can be heard
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

const (
	maxStack     = 64 << 20 // bytes; Go's own limit of 1 GB costs 4.4 GiB and 42 s to reach (security, finding 3)
	childThreads = 2
)

// Exit codes of a child that has no answer to give.
const (
	exitProtocol = 3
	exitOrphan   = 4
	exitLimits   = 5
)

// Child is what the program does when its first argument is ChildCommand: it limits itself, reads one request from in,
// renders it, writes the answer to out, and returns the exit code. main calls it before anything else, with an empty
// environment; every error of the application is an answer and code 0. When in ends, the parent is gone and so is it.
func Child(in io.Reader, out io.Writer) int {
	h, err := readHeader(in)
	if err != nil {
		return complain(exitProtocol, err)
	}
	if err := restrict(h.Memory, time.Duration(min(h.CPU, math.MaxInt64))); err != nil { //nolint:gosec // bounded
		return complain(exitLimits, err)
	}
	inputs, target, err := readRequest(in, h)
	if err != nil {
		return complain(exitProtocol, err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, in) // its end is the message, however it comes
		os.Exit(exitOrphan)
	}()
	said := &helmLog{}
	log.SetFlags(0)
	log.SetOutput(said)
	rendered, err := inProcess(inputs, target, said)
	w := bufio.NewWriterSize(out, 64<<10)
	if err := writeAnswer(w, rendered, err); err != nil {
		return complain(exitProtocol, err)
	}
	if err := w.Flush(); err != nil {
		return complain(exitProtocol, err)
	}
	return 0
}

func complain(code int, err error) int {
	fmt.Fprintln(os.Stderr, err)
	return code
}

// restrict takes from this process, for good, what rendering does not need (security R1). Two threads at most render and
// collect, so that processor time is bounded by twice the deadline.
func restrict(memory uint64, deadline time.Duration) error {
	debug.SetMaxStack(maxStack)
	debug.SetMemoryLimit(int64(min(memory, math.MaxInt64) / 4 * 3)) //nolint:gosec // bounded
	runtime.GOMAXPROCS(childThreads)
	return limit(memory, childThreads*(deadline+time.Second))
}
