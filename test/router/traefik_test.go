//go:build conformance && linux

package router

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/kube"
	"slipway/internal/manifest"
	"slipway/test/cluster"
)

// traefik is the binary; test/router/build.sh makes it.
var traefik = os.Getenv("SLIPWAY_ROUTER")

const (
	routerStop = 15 * time.Second
	address    = "127.0.0.1:8000" // free in a network of our own
)

// gateway is what a cluster's owner gives teams beside the CRDs. A listener's port must be that of an entry point.
const gateway = `apiVersion: v1
kind: Namespace
metadata: {name: router}
---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: traefik}
spec: {controllerName: traefik.io/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: web, namespace: router}
spec:
  gatewayClassName: traefik
  listeners: [{name: web, port: 8000, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
`

// startRouter gives the cluster the Gateway API, whole, and starts Traefik beside it.
func startRouter(t *testing.T) {
	t.Helper()
	if traefik == "" {
		t.Fatal("SLIPWAY_ROUTER names no router: make router")
	}
	c, err := kube.Connect(app.Cluster{Name: app.InCluster, Server: app.InClusterServer, Kubeconfig: cluster.Kubeconfig()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	definitions, err := filepath.Glob(traefik + "-crds/*.yaml")
	if err != nil || len(definitions) == 0 {
		t.Fatalf("definitions of the Gateway API beside %s: %v, %v", traefik, definitions, err)
	}
	for _, file := range definitions {
		text, err := os.ReadFile(file) //nolint:gosec // of the module that was built
		if err != nil {
			t.Fatal(err)
		}
		apply(t, c, filepath.Base(file), string(text))
	}
	apply(t, c, "gateway.yaml", gateway)
	run(t, traefik, "--providers.kubernetesgateway=true", "--providers.kubernetesgateway.throttleduration=100ms",
		"--entrypoints.web.address="+address, "--global.checknewversion=false", "--global.sendanonymoususage=false")
}

func apply(t *testing.T, c *kube.Cluster, name, text string) {
	t.Helper()
	objects, err := manifest.ParseYAML(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if _, _, err := c.Apply(t.Context(), o.Unstructured, false); err != nil {
			t.Fatal(err)
		}
		if o.GroupVersionKind().GroupKind() == (schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}) {
			if err := c.Established(t.Context(), o.GetName()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// run runs a program until the test's end. What it said is shown when the test has failed.
func run(t *testing.T, program string, args ...string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "log")
	log, err := os.Create(name) //nolint:gosec // of the test
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...) //nolint:gosec,noctx // stopped below
	cmd.Env = []string{"KUBECONFIG=" + cluster.Kubeconfig()}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal("start router:", err)
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may be gone
		select {
		case err := <-gone:
			if err != nil {
				t.Error("stop router:", err)
			}
		case <-time.After(routerStop):
			t.Error("stop router: it does not end", cmd.Process.Kill())
		}
		_ = log.Close()
		if said, err := os.ReadFile(name); t.Failed() { //nolint:gosec // of the test
			t.Logf("the router: %s %v", said, err)
		}
	})
}
