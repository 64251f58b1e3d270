// Package cluster gives tests a real Kubernetes API: one devkube for each test package, one namespace for each test.
// Only tests import it, those with build tag `cluster`:
//
//	func TestMain(m *testing.M) { cluster.Main(m) }
//
// Without the devkube binary they fail. They never skip: a tier that skips itself passes for ever.
package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"slipway/internal/local/devkube"
)

// shared is the package's cluster; Main sets it before any test runs.
var shared *devkube.Process

// Main starts the package's cluster, runs its tests, stops the cluster and exits. State and logs are in a temporary
// directory that goes with it; SLIPWAY_KEEP=1 keeps it.
func Main(m *testing.M) { os.Exit(Run(m.Run)) }

// Run is Main for packages that prepare more than a cluster: it answers with the exit code.
func Run(tests func() int) int {
	code, err := run(tests)
	if err != nil {
		fmt.Fprintln(os.Stderr, "test cluster:", err)
		code = max(code, 1)
	}
	return code
}

func run(tests func() int) (code int, err error) {
	dir, err := os.MkdirTemp("", "slipway-cluster-")
	if err != nil {
		return 1, err
	}
	if os.Getenv("SLIPWAY_KEEP") == "" {
		defer func() { _ = os.RemoveAll(dir) }()
	} else {
		fmt.Fprintln(os.Stderr, "test cluster: kept in", dir)
	}
	ctx := context.Background()
	if shared, err = devkube.Start(ctx, devkube.Options{Dir: filepath.Join(dir, "devkube")}); err != nil {
		return 1, err
	}
	code = tests()
	select {
	case err := <-shared.Exited(): // it must outlive the tests, whatever they made of its absence
		return code, fmt.Errorf("gone before the tests were over: %w", err)
	default:
	}
	return code, shared.Stop(ctx)
}

// Kubeconfig is the path of the package's cluster's kubeconfig. Its user is admin, in group system:masters.
func Kubeconfig() string {
	if shared == nil {
		panic("test cluster: TestMain does not call cluster.Main")
	}
	return shared.Kubeconfig
}

// Admin is the same as a client configuration, without client-side throttling.
func Admin(t testing.TB) *rest.Config {
	t.Helper()
	return config(t, Kubeconfig())
}

// Own starts a cluster for one test and stops it at the test's end: for tests of two clusters, or of one with flags
// of its own. args are flags of `devkube up`.
func Own(t testing.TB, args ...string) *devkube.Process {
	t.Helper()
	p, err := devkube.Start(t.Context(), devkube.Options{Dir: filepath.Join(t.TempDir(), "devkube"), Args: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func config(t testing.TB, kubeconfig string) *rest.Config {
	t.Helper()
	c, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	c.QPS = -1 // none
	return c
}
