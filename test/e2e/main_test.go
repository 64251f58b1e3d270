//go:build cluster

// Package e2e sees the whole: the slipway binary, real pushes to its git host, and real Kubernetes API servers. Each
// test has its own `slipway up`, its own repositories and its own namespaces; they share one cluster.
package e2e

import (
	"fmt"
	"os"
	"testing"

	"slipway/test/cluster"
	"slipway/test/e2e/up"
)

func TestMain(m *testing.M) {
	os.Exit(cluster.Run(func() int {
		dir, err := os.MkdirTemp("", "slipway-e2e-")
		if err == nil {
			defer func() { _ = os.RemoveAll(dir) }()
			err = up.Build(dir, "../..")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}))
}
