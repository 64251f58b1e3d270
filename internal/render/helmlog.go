package render

import (
	"bytes"
	"strings"
)

const maxSaid = 100 // lines

// helmLog keeps what Helm's packages log: warnings that the user of helm sees and that hold values (helm
// pkg/chartutil/coalesce.go prints both sides of a conflict).
type helmLog struct{ lines []string }

// Write implements io.Writer; package log calls it once a message and under a lock.
func (l *helmLog) Write(p []byte) (int, error) {
	line := string(bytes.TrimSpace(p))
	if i := len(l.lines) - 1; len(l.lines) < maxSaid && (i < 0 || l.lines[i] != line) {
		l.lines = append(l.lines, line)
	}
	return len(p), nil
}

// warnings is what was said, each line once and without values.
func (l *helmLog) warnings(dir string, s func() *scrubber) []string {
	var out []string
	seen := map[string]bool{}
	for _, line := range l.lines {
		w := dir + ": " + s().text(strings.TrimPrefix(strings.TrimPrefix(line, "warning: "), "Warning: "))
		if !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out
}
