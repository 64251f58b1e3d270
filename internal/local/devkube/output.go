package devkube

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The logs in Dir, the most telling first: what devkube itself said, the runtime's panics, the components' lines.
const logFile = "devkube.log"

var logs = []string{logFile, "stderr.log", "cluster.log", "etcd.log", filepath.Join("prometheus", "prometheus.log")}

const (
	tailBytes = 4 << 10 // of each log that an error quotes, and at most
	tailLines = 5
	lineBytes = 64 << 10 // of the ready line
)

// firstLine sends the first line of r, if there is one, and drops the rest, so that a writer never blocks and never gets
// SIGPIPE.
func firstLine(r io.ReadCloser, lines chan<- string) {
	defer func() { _ = r.Close() }()
	s := bufio.NewScanner(io.LimitReader(r, lineBytes))
	if s.Scan() {
		lines <- s.Text()
	}
	close(lines)
	_, _ = io.Copy(io.Discard, r)
}

// read takes over the ready line, one JSON object.
func (p *Process) read(line string) error {
	var ready struct{ Kubeconfig, URL, Prometheus string }
	if err := json.Unmarshal([]byte(line), &ready); err != nil {
		return fmt.Errorf("read ready line %.200q: %w", line, err)
	}
	if ready.Kubeconfig == "" || ready.URL == "" {
		return errors.New("read ready line: no kubeconfig or no url in it")
	}
	p.Kubeconfig, p.URL, p.Prometheus = ready.Kubeconfig, ready.URL, ready.Prometheus
	return nil
}

// lastLines quotes the ends of the logs in dir, "" when there are none.
func lastLines(dir string) string {
	var b strings.Builder
	for _, name := range logs {
		for _, l := range tail(filepath.Join(dir, name)) {
			fmt.Fprintf(&b, "\n  %s: %s", name, l)
		}
	}
	return b.String()
}

func tail(path string) []string {
	f, err := os.Open(path) //nolint:gosec // a log of ours
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.Size() > tailBytes {
		if _, err := f.Seek(-tailBytes, io.SeekEnd); err != nil {
			return nil
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, tailBytes))
	if err != nil {
		return nil
	}
	lines := strings.Split(string(bytes.TrimSpace(b)), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return nil
	}
	return lines[max(0, len(lines)-tailLines):]
}
