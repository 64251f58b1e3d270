package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// stopOnSignal cancels with the signal's name as the cause. A second signal ends the process at once.
// SIGHUP is caught too: its default action ends a process without a word when the terminal that started it goes.
func stopOnSignal(cancel context.CancelCauseFunc) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	// A reader that goes away must not kill a cluster in use: Go ends a process that gets SIGPIPE on
	// descriptors 1 and 2 unless it asks for the signal (package os/signal, "SIGPIPE").
	signal.Ignore(syscall.SIGPIPE)
	go func() {
		s := <-c
		signal.Reset(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
		cancel(fmt.Errorf("signal %s", s))
	}()
}

// stopOnEOF cancels when in ends. The parent holds the other end of a pipe and the kernel closes it however the
// parent dies, kill -9 included.
//
// Not prctl(PR_SET_PDEATHSIG): that signal comes when the parent's *thread* that forked the child exits, not its
// process (prctl(2)), and Go ends a thread whose goroutine returns locked to it (golang/go#27505). A cluster started
// that way was gone 1.1 s after its ready line, with exit code 0 and nothing on standard error (measured).
func stopOnEOF(in io.Reader, cancel context.CancelCauseFunc) {
	_, err := io.Copy(io.Discard, in)
	if err == nil {
		err = errors.New("standard input has ended")
	}
	cancel(err)
}

// divert points descriptor 2 at DIR/stderr.log and returns a copy of the old one, for what people should read.
// The API server's etcd client logs a hundred harmless warnings at start and cannot be asked not to
// (ETCD_CLIENT_DEBUG, k8s.io/apiserver factory/etcd3.go); the runtime's panics go to the file with them.
func divert(dir string) (io.Writer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "stderr.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	old, err := syscall.Dup(2)
	if err != nil {
		return nil, fmt.Errorf("copy standard error: %w", err)
	}
	syscall.CloseOnExec(old)
	if err := syscall.Dup3(int(log.Fd()), 2, 0); err != nil {
		return nil, fmt.Errorf("divert standard error: %w", err)
	}
	os.Stderr = log
	return os.NewFile(uintptr(old), "stderr"), nil
}
