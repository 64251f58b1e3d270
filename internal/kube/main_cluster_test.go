//go:build cluster

package kube

import (
	"testing"

	"slipway/internal/app"
	"slipway/test/cluster"
)

func TestMain(m *testing.M) { cluster.Main(m) }

func adminKubeconfig() string { return cluster.Kubeconfig() }

// connect is a new connection to the real cluster, with nothing discovered.
func connect(t testing.TB) *Cluster {
	t.Helper()
	c, err := Connect(app.Cluster{Name: "real", Kubeconfig: adminKubeconfig()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func namespace(t *testing.T) string { return cluster.Namespace(t) }
