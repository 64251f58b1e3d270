package kube

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
)

const discoveryCore = `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[{"metadata":{},"versions":[{"version":"v1","resources":[
 {"resource":"configmaps","responseKind":{"version":"v1","kind":"ConfigMap"},"scope":"Namespaced","verbs":["list","patch","get"]},
 {"resource":"namespaces","responseKind":{"version":"v1","kind":"Namespace"},"scope":"Cluster","verbs":["list","patch","get"]},
 {"resource":"events","responseKind":{"version":"v1","kind":"Event"},"scope":"Namespaced","verbs":["list","patch"]},
 {"resource":"componentstatuses","responseKind":{"version":"v1","kind":"ComponentStatus"},"scope":"Cluster","verbs":["list","get"]},
 {"resource":"secrets","responseKind":{"version":"v1","kind":"Secret"},"scope":"Namespaced","verbs":["list","patch"]}]}]}]}`

const discoveryGroups = `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[
 {"metadata":{"name":"apps"},"versions":[
  {"version":"v1","resources":[{"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},"scope":"Namespaced","verbs":["list","patch"],
    "subresources":[{"subresource":"scale","responseKind":{"group":"autoscaling","version":"v1","kind":"Scale"},"verbs":["patch"]}]}]},
  {"version":"v1beta1","resources":[{"resource":"deployments","responseKind":{"group":"apps","version":"v1beta1","kind":"Deployment"},"scope":"Namespaced","verbs":["list","patch"]}]}]},
 {"metadata":{"name":"custom.metrics.k8s.io"},"versions":[{"version":"v1","freshness":"Stale"}]}]}`

// server answers discovery and hands every other request to serve.
type server struct {
	serve     http.HandlerFunc
	asked     atomic.Int32 // requests of serve
	documents atomic.Int32 // full answers of discovery
	groups    atomic.Pointer[string]
}

func (a *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/version":
		_, _ = w.Write([]byte(`{"gitVersion":"v1.33.4-eks-1a2b3c"}`))
	case "/api", "/apis":
		body := discoveryCore
		if r.URL.Path == "/apis" {
			body = discoveryGroups
			if g := a.groups.Load(); g != nil {
				body = *g
			}
		}
		etag := fmt.Sprintf("%q", fmt.Sprint(len(body)))
		w.Header().Set("Etag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		a.documents.Add(1)
		_, _ = w.Write([]byte(body))
	default:
		a.asked.Add(1)
		a.serve(w, r)
	}
}

// fake is a connection to a server of the test's own, over TLS and HTTP/2 as to a real one. user is YAML of its
// credentials.
func fake(t *testing.T, serve http.HandlerFunc, user string) (*Cluster, *server) {
	t.Helper()
	a := &server{serve: serve}
	s := quietServer(a)
	t.Cleanup(s.Close)
	c, err := Connect(app.Cluster{Name: "fake", Kubeconfig: kubeconfig(t, s, user)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, a
}

func quietServer(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = true
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that tests break on purpose
	s.StartTLS()
	return s
}

func kubeconfig(t *testing.T, s *httptest.Server, user string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	file := filepath.Join(dir, "kubeconfig")
	write(t, file, kubeconfigText("{server: '"+s.URL+"', certificate-authority: ca.pem}", user))
	return file
}

func kubeconfigText(cluster, user string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: %s}]
users: [{name: u, user: %s}]
`, cluster, user)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// status is how the API server refuses.
func status(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":%q}`, code, reason, message)
}

func echo(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n","resourceVersion":"7"}}`))
}

func someObject(kind string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": kind, "metadata": map[string]any{"name": "a", "namespace": "n"},
	}}
}

const token = "{token: t0ken}"

func says(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}
