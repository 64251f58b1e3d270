package devkube

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyTheEndOfALogIsQuoted(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	if err := os.WriteFile(filepath.Join(dir, "cluster.log"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "\n  cluster.log: line 9995\n  cluster.log: line 9996\n  cluster.log: line 9997\n  cluster.log: line 9998\n  cluster.log: line 9999"
	if got := lastLines(dir); got != want {
		t.Errorf("%s", got)
	}
}

func TestALineWithoutAnEndIsCut(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, logFile), []byte(strings.Repeat("x", 1<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := lastLines(dir); len(got) > tailBytes+100 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestNoLogsAreNoLines(t *testing.T) {
	if got := lastLines(filepath.Join(t.TempDir(), "absent")); got != "" {
		t.Error(got)
	}
}
