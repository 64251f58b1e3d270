//go:build cluster

package devkube

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// afterReady is how long each round looks on: the cluster that went without a word did so within a second.
const afterReady = 1500 * time.Millisecond

// rounds is how often the soak starts and stops a cluster: SLIPWAY_SOAK, which `make devkube-soak` sets to 50.
func rounds(t *testing.T) int {
	n := 3
	if s := os.Getenv("SLIPWAY_SOAK"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil || n < 1 {
			t.Fatalf("SLIPWAY_SOAK=%s is not a number of rounds", s)
		}
	}
	return n
}

func TestAClusterStartedAndStoppedManyTimesIsAlwaysReadyAndLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp) // where the child, too, would leave files
	var ready, stop []time.Duration
	descriptors := openDescriptors(t)
	for i := range rounds(t) {
		p, err := Start(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "devkube")})
		if err != nil {
			t.Fatalf("round %d: %v", i+1, err)
		}
		select {
		case err := <-p.Exited():
			t.Fatalf("round %d: gone by itself: %v", i+1, err)
		case <-time.After(afterReady):
		}
		if err := alive(t.Context(), p.URL); err != nil {
			t.Fatalf("round %d: %v", i+1, err)
		}
		ports := listening(t, p.PID)
		begin := time.Now()
		end(t, i, p)
		ready, stop = append(ready, p.Ready), append(stop, time.Since(begin))
		checkNothingLeft(t, p, ports, temp)
		if err := os.RemoveAll(p.dir); err != nil { // etcd preallocates 64 MB a file
			t.Fatal(err)
		}
	}
	if now := openDescriptors(t); now > descriptors {
		t.Errorf("%d descriptors open, %d before", now, descriptors)
	}
	slices.Sort(ready)
	slices.Sort(stop)
	n := len(ready)
	t.Logf("%d rounds: ready in %s to %s, median %s; stopped in %s to %s, median %s",
		n, ready[0], ready[n-1], ready[n/2], stop[0], stop[n-1], stop[n/2])
}

// end stops the cluster in the three ways that a cluster is stopped in, by turns.
func end(t *testing.T, round int, p *Process) {
	t.Helper()
	switch round % 3 {
	case 1: // as when we die
		if err := p.stdin.Close(); err != nil {
			t.Error(err)
		}
		<-p.done
	case 2: // as by an operator
		if err := syscall.Kill(p.PID, syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		<-p.done
	}
	if err := p.Stop(context.Background()); err != nil {
		t.Errorf("round %d: %v", round+1, err)
	}
}

func checkNothingLeft(t *testing.T, p *Process, ports []string, temp string) {
	t.Helper()
	if err := syscall.Kill(-p.PID, 0); err != syscall.ESRCH { // its process group: itself and any child
		t.Errorf("processes left in group %d: %v", p.PID, err)
	}
	if len(ports) != 3 { // the API server's, etcd's for clients and for peers
		t.Errorf("it listened on %v", ports)
	}
	for _, port := range ports {
		var d net.Dialer
		if c, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:"+port); err == nil {
			_ = c.Close()
			t.Errorf("something listens on port %s", port)
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("files left: %v, %v", left, err)
	}
	if out, err := os.ReadFile(filepath.Join(p.dir, logFile)); err != nil || !strings.Contains(string(out), "devkube: stopping: ") {
		t.Errorf("it did not say why it stopped: %s, %v", out, err)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	runtime.GC() // closes what only finalizers hold
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

// listening lists the TCP ports that process pid listens on (proc(5): /proc/PID/net/tcp, state 0A).
func listening(t *testing.T, pid int) []string {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	sockets := map[string]bool{}
	fds, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if link, err := os.Readlink(filepath.Join(proc, "fd", fd.Name())); err == nil {
			sockets[link] = true
		}
	}
	var ports []string
	for _, table := range []string{"tcp", "tcp6"} {
		b, err := os.ReadFile(filepath.Join(proc, "net", table))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" || !sockets["socket:["+f[9]+"]"] {
				continue
			}
			_, hex, _ := strings.Cut(f[1], ":")
			port, err := strconv.ParseUint(hex, 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			ports = append(ports, strconv.FormatUint(port, 10))
		}
	}
	return ports
}
