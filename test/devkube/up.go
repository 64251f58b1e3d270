package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/klog/v2"

	"devkube/cluster"
)

// Stopping takes about 1.2 s on an idle machine; what is still there after this long will not go by itself.
const stopDeadline = 20 * time.Second

// ready is the one line on standard output.
type ready struct {
	Kubeconfig string  `json:"kubeconfig"`
	URL        string  `json:"url"`
	Prometheus string  `json:"prometheus,omitempty"` // URL
	PID        int     `json:"pid"`
	Seconds    float64 `json:"ready_s"`
}

// up runs the cluster until it is told to stop and returns the exit code. Every end is named on standard
// error, also a wanted one: a process that goes without a word cannot be told from one that crashed.
func up(args []string) int {
	s, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "devkube:", err)
		return 2
	}
	stderr, err := divert(s.Dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "devkube:", err)
		return 1
	}
	// klog.Fatal and klog.FlushAndExit in a component end the process from any goroutine, and say why only in
	// DIR/cluster.log.
	klog.OsExit = func(code int) {
		fmt.Fprintf(stderr, "devkube: a component ended the process, see %s/cluster.log\n", s.Dir)
		os.Exit(code)
	}
	if err := run(s, stderr); err != nil {
		fmt.Fprintln(stderr, "devkube:", err)
		return 1
	}
	return 0
}

func run(s settings, stderr io.Writer) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	stopOnSignal(cancel)
	if s.stopOnEOF {
		go stopOnEOF(os.Stdin, cancel)
	}
	begin := time.Now()
	m, err := startMonitoring(&s)
	if err != nil {
		return err
	}
	defer end(m.stop, stderr)
	c, err := cluster.Start(ctx, s.Options)
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("stopped while starting: %w", context.Cause(ctx))
	}
	if err != nil {
		return err
	}
	defer end(c.Stop, stderr)
	if err := m.join(ctx, c, s.monitoring.namespace); err != nil {
		return err
	}
	for _, t := range c.Timings {
		fmt.Fprintf(stderr, "devkube: %6.3fs %s\n", t.At.Seconds(), t.Step)
	}
	line := ready{c.Kubeconfig, c.URL, m.url(), os.Getpid(), time.Since(begin).Seconds()}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return fmt.Errorf("print the ready line: %w", err)
	}
	select {
	case <-ctx.Done():
		fmt.Fprintln(stderr, "devkube: stopping:", context.Cause(ctx))
		return nil
	case err := <-c.Err():
		return err
	case err := <-m.err():
		return err
	}
}

// end stops something, and the process with it when it hangs: the parent is gone or waits.
func end(stop func(), stderr io.Writer) {
	watch := time.AfterFunc(stopDeadline, func() {
		fmt.Fprintln(stderr, "devkube: not stopped in", stopDeadline)
		os.Exit(1)
	})
	defer watch.Stop()
	stop()
}
