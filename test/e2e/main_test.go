//go:build cluster

// Package e2e sees the whole: the slipway binary, real pushes to its git host, and real Kubernetes API servers. Each
// test has its own `slipway up`, its own repositories and its own namespaces; they share one cluster.
package e2e

import (
	"os"
	"testing"

	"slipway/test/e2e/up"
)

func TestMain(m *testing.M) {
	os.Exit(up.Main(m, "../.."))
}
