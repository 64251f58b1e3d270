//go:build cluster

package devkube

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// starterVariable makes the test binary a program that starts a cluster in the directory it names.
	starterVariable = "SLIPWAY_TEST_STARTER"
	goneDeadline    = time.Minute
)

// The main thread never ends, so no test's goroutine may run on it: see TestTheClusterOutlivesTheThreadThatStartedIt.
func init() { runtime.LockOSThread() }

func TestMain(m *testing.M) {
	if dir := os.Getenv(starterVariable); dir != "" {
		p, err := Start(context.Background(), Options{Dir: dir})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(p.PID)
		select {} // until killed
	}
	os.Exit(m.Run())
}

// alive asks the API server whether it is ready. Its certificate is of no interest here.
func alive(ctx context.Context, url string) error {
	c := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // our own server
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", resp.Status)
	}
	return nil
}

// gone waits until there is no process pid any more, not even a zombie.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(goneDeadline); syscall.Kill(pid, 0) == nil; {
		if time.Now().After(end) {
			t.Fatalf("process %d is still there after %s", pid, goneDeadline)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestTheClusterGoesWhenItsStarterIsKilled(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "devkube")
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), starterVariable+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, convErr := strconv.Atoi(strings.TrimSpace(line))
	killErr := cmd.Process.Kill()
	_ = cmd.Wait()
	if err != nil || convErr != nil || killErr != nil {
		t.Fatalf("starter said %q: %v, %v, %v", line, err, convErr, killErr)
	}
	gone(t, pid)
	log, err := os.ReadFile(filepath.Join(dir, logFile))
	if err != nil || !strings.Contains(string(log), "stopping: standard input has ended") {
		t.Errorf("it does not say why it stopped: %s %v", log, err)
	}
}

// Once a cluster went a second after it was ready, without a word. A death signal that is tied to the parent
// (PR_SET_PDEATHSIG) does that: it comes when the thread that forked ends, and Go ends a thread whose goroutine
// returns locked to it.
func TestTheClusterOutlivesTheThreadThatStartedIt(t *testing.T) {
	type started struct {
		p   *Process
		err error
		tid int
	}
	result := make(chan started)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		p, err := Start(context.Background(), Options{Dir: filepath.Join(t.TempDir(), "devkube")})
		result <- started{p, err, syscall.Gettid()}
	}()
	s := <-result
	if s.err != nil {
		t.Fatal(s.err)
	}
	defer func() {
		if err := s.p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if s.tid == os.Getpid() {
		t.Fatal("the main thread started it, and that one does not end")
	}
	task := fmt.Sprintf("/proc/self/task/%d", s.tid)
	for end := time.Now().Add(goneDeadline); ; {
		if _, err := os.Stat(task); os.IsNotExist(err) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the thread does not end")
		}
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-s.p.Exited():
		t.Fatal(err)
	case <-time.After(2 * time.Second): // the one that went did so within a second
	}
	if err := alive(t.Context(), s.p.URL); err != nil {
		t.Error(err)
	}
}

func TestStateOutlivesARestartOnTheSameDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "devkube")
	var first string
	for range 2 {
		p, err := Start(t.Context(), Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		ca, err := os.ReadFile(filepath.Join(dir, "pki", "ca.crt"))
		if err != nil {
			t.Error(err)
		}
		if first != "" && first != string(ca) {
			t.Error("a new certificate authority on an old directory")
		}
		first = string(ca)
		if err := alive(t.Context(), p.URL); err != nil {
			t.Error(err)
		}
		if err := p.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
