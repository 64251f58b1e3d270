//go:build cluster

package cluster

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, users: [admin], verbs: [create, update, patch, delete]}
`

// What a sync wrote is counted where it cannot be wrong: at the API server.
func TestWritesCanBeCountedAtTheAPIServer(t *testing.T) {
	dir := t.TempDir()
	policyFile, log := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "audit.log")
	if err := os.WriteFile(policyFile, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	own := Own(t, "--apiserver-arg=--audit-policy-file="+policyFile, "--apiserver-arg=--audit-log-path="+log,
		"--apiserver-arg=--audit-log-mode=blocking")
	maps := kubernetes.NewForConfigOrDie(config(t, own.Kubeconfig)).CoreV1().ConfigMaps("default")
	for _, name := range []string{"a", "b"} {
		m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}}
		if _, err := maps.Create(t.Context(), m, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var wrote []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var event struct {
			Verb      string
			ObjectRef struct{ Resource, Name string }
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		if event.ObjectRef.Resource == "configmaps" {
			wrote = append(wrote, event.Verb+" "+event.ObjectRef.Name)
		}
	}
	if len(wrote) != 2 || wrote[0] != "create a" || wrote[1] != "create b" {
		t.Errorf("writes %q", wrote)
	}
}
