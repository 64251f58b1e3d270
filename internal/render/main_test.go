package render

import (
	"os"
	"strings"
	"testing"
)

// TestMain makes the test binary its own render child, and some children that misbehave in ways templates cannot.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case ChildCommand:
			os.Exit(Child(os.Stdin, os.Stdout))
		case "flood":
			block := []byte(strings.Repeat("x", 1<<20))
			for range 1 << 10 {
				if _, err := os.Stdout.Write(block); err != nil {
					os.Exit(1)
				}
			}
			os.Exit(0)
		case "babble":
			_, _ = os.Stdout.WriteString("usage: something else")
			os.Exit(0)
		case "fail":
			os.Exit(7)
		case "inspect":
			os.Exit(inspect())
		}
	}
	os.Exit(m.Run())
}
