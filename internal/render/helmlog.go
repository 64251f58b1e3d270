package render

import (
	"bytes"
	"slices"
	"strings"
)

const maxSaid = 100 // lines

// helmLog keeps what Helm's packages log: warnings that the user of helm sees and that hold values (helm
// pkg/chartutil/coalesce.go prints both sides of a conflict).
type helmLog struct{ lines []string }

// Write implements io.Writer; package log calls it once a message and under a lock.
func (l *helmLog) Write(p []byte) (int, error) {
	if line := string(bytes.TrimSpace(p)); len(l.lines) < maxSaid && !slices.Contains(l.lines, line) {
		l.lines = append(l.lines, line)
	}
	return len(p), nil
}

// warnings is what was said, each line once, without values, and sorted, for Helm walks maps.
func (l *helmLog) warnings(dir string, s func() *scrubber) []string {
	var out []string
	for _, line := range l.lines {
		out = append(out, dir+": "+s().text(strings.TrimPrefix(strings.TrimPrefix(line, "warning: "), "Warning: ")))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
