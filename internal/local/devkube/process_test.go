package devkube

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program writes a shell script that takes devkube's place, for ends that the real one must not have.
func program(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "devkube")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

const readyLine = `echo '{"kubeconfig":"/k","url":"https://127.0.0.1:1"}'; `

func TestAStartThatFailsQuotesTheLogs(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"an error of its own":        {`echo "devkube: no space left" >&2; exit 3`, "exit status 3\n  devkube.log: devkube: no space left"},
		"a panic in the runtime":     {`echo "fatal error: concurrent map writes" > "$4/stderr.log"; exit 2`, "stderr.log: fatal error: concurrent map writes"},
		"a fatal line of components": {`echo "F1125 hook failed" > "$4/cluster.log"; exit 255`, "cluster.log: F1125 hook failed"},
		"an exit without a word":     {`exit 0`, ErrExited.Error()},
		"no ready line":              {`echo hello; cat`, `read ready line "hello"`},
		"half a ready line":          {`echo '{"url":"https://127.0.0.1:1"}'; cat`, "no kubeconfig"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Start(t.Context(), Options{Binary: program(t, c.script), Dir: filepath.Join(t.TempDir(), "d")})
			if err == nil || !strings.HasPrefix(err.Error(), "start devkube: ") || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestAPrometheusIsNamedOnlyWhenItRuns(t *testing.T) {
	for want, script := range map[string]string{
		"":                   readyLine,
		"http://127.0.0.1:2": `echo '{"kubeconfig":"/k","url":"https://127.0.0.1:1","prometheus":"http://127.0.0.1:2"}'; `,
	} {
		p, err := Start(t.Context(), Options{Binary: program(t, script+"exec cat"), Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if p.Prometheus != want || p.URL != "https://127.0.0.1:1" {
			t.Errorf("Prometheus at %q, want %q; API at %q", p.Prometheus, want, p.URL)
		}
		if err := p.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestAStartNeedsADirectoryAndAProgram(t *testing.T) {
	if _, err := Start(t.Context(), Options{Binary: "x"}); err == nil {
		t.Error("no error without a directory")
	}
	if _, err := Start(t.Context(), Options{Binary: filepath.Join(t.TempDir(), "absent"), Dir: t.TempDir()}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestAStartThatTakesTooLongIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Start(ctx, Options{Binary: program(t, `exec sleep 600`), Dir: t.TempDir()})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestAContextThatEndsAfterTheStartStopsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Start(ctx, Options{Binary: program(t, readyLine+"exec cat"), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-p.Exited():
		t.Fatal(err)
	default:
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnExitThatNobodyAskedForIsReported(t *testing.T) {
	p, err := Start(t.Context(), Options{Binary: program(t, readyLine+"echo lost >&2; exit 0"), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-p.Exited(); !errors.Is(err, ErrExited) || !strings.Contains(err.Error(), "devkube.log: lost") {
		t.Error(err)
	}
	if _, open := <-p.Exited(); open {
		t.Error("Exited gave more than one error")
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Error("stop of what has gone:", err)
	}
}

func TestAStopIsKnownByItsEnd(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"at the end of input":  {"exec cat", ""},
		"with an error":        {"cat; echo stuck >&2; exit 4", "stop devkube: exit status 4\n  devkube.log: stuck"},
		"by force, when stuck": {"exec sleep 600", "stop devkube: killed: context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Start(t.Context(), Options{Binary: program(t, readyLine+c.script), Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err = p.Stop(ctx)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
		})
	}
}
