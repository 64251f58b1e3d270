// Command generate reads the definitions that controller-gen makes of Argo Rollouts' types and writes them with the specs
// of Jobs and of Experiments' pods left open. Slipway runs neither. The rules that came into JobSpec with Kubernetes 1.37
// ask what a value was before, which the API server refuses in a list such as spec.metrics; it judges a Job when one is
// made.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	in, err := io.ReadAll(os.Stdin)
	for text := range strings.SplitSeq(strings.TrimPrefix(string(in), "---\n"), "\n---\n") {
		if err == nil {
			err = write(os.Stdout, text)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
