package conformance

import (
	"os"
	"strings"
	"testing"
)

// section is a part of a file that begins with a line "-- name --".
type section struct{ name, text string }

// sections reads them; what comes before the first is a comment. A name that comes twice fails the test.
func sections(t *testing.T, file string) []section {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out []section
	seen := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		name, begins := strings.CutPrefix(strings.TrimRight(line, "\n"), "-- ")
		if begins {
			name, begins = strings.CutSuffix(name, " --")
		}
		switch {
		case begins && seen[name]:
			t.Fatalf("%s: section %q comes twice", file, name)
		case begins:
			seen[name] = true
			out = append(out, section{name: name})
		case len(out) > 0:
			out[len(out)-1].text += line
		}
	}
	return out
}
