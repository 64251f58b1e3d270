//go:build conformance && linux

// Package router sees a canary's weights arrive: `slipway up` drives a rollout that a push began, Traefik, a real router of
// the Gateway API, obeys the HTTPRoute's weights, and the requests that reach pods are counted. Only Linux has the network
// namespaces that this takes.
package router

import (
	"os"
	"testing"

	"slipway/test/e2e/up"
)

func TestMain(m *testing.M) {
	os.Exit(apart(func() int { return up.Main(m, "../..") }))
}
