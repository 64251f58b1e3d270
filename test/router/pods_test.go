//go:build conformance && linux

package router

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"slipway/test/cluster"
)

// podPort is the one that the manifests' containers name.
const podPort = "8080"

// servePods answers in place of every pod of the namespace with its image's tag. Nobody answers where no pod is: a router
// that asks there gets 502.
func servePods(t *testing.T, namespace string) {
	t.Helper()
	pods := kubernetes.NewForConfigOrDie(cluster.Admin(t)).CoreV1().Pods(namespace)
	serve := func(w http.ResponseWriter, r *http.Request) {
		addr, _ := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
		at, err := pods.List(r.Context(), metav1.ListOptions{FieldSelector: "status.podIP=" + addr.IP.String()})
		if err != nil || len(at.Items) != 1 || !ready(&at.Items[0]) {
			http.Error(w, fmt.Sprintf("no ready pod at %s: %v", addr.IP, err), http.StatusBadGateway)
			return
		}
		image := at.Items[0].Spec.Containers[0].Image
		_, _ = fmt.Fprint(w, image[strings.LastIndex(image, ":")+1:]) // who does not hear it counts a failure
	}
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp4", "0.0.0.0:"+podPort) // of a network that nobody else is in
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(serve), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	t.Cleanup(func() {
		if err := errors.Join(srv.Close(), <-done); !errors.Is(err, http.ErrServerClosed) {
			t.Error("serve pods:", err)
		}
	})
}

func ready(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
