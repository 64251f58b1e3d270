package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/fault"
)

const whole = `
clusters:
  - name: in-cluster
    kubeconfig: kube/config
  - name: staging
    server: https://staging.example.com:6443/
    kubeconfig: /etc/kube/staging
    context: arn:aws:eks:eu-west-1:123456789012:cluster/staging
    drift: watch
  - name: edge
    drift: sweep
    prometheus: {namespace: monitoring}
hosts:
  github.com: local
  git.example.com:8443: https://git.example.com:8443/api/v3
  ghe.example.com:
    api: https://ghe.example.com/api/v3/
    tokenFile: token
`

func TestAConfigurationIsClustersAndHosts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slipway.yaml")
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	want := File{
		Clusters: []app.Cluster{
			{Name: "in-cluster", Server: "https://kubernetes.default.svc", Kubeconfig: filepath.Join(filepath.Dir(path), "kube/config")},
			{Name: "staging", Server: "https://staging.example.com:6443/", Kubeconfig: "/etc/kube/staging", Context: "arn:aws:eks:eu-west-1:123456789012:cluster/staging", Drift: app.DriftWatch},
			{Name: "edge", Drift: app.DriftSweep, PrometheusNamespace: "monitoring"},
		},
		Hosts: map[string]Host{
			"github.com":           {API: Local},
			"git.example.com:8443": {API: "https://git.example.com:8443/api/v3"},
			"ghe.example.com":      {API: "https://ghe.example.com/api/v3/", TokenFile: filepath.Join(filepath.Dir(path), "token")},
		},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("error %v, -want +got:\n%s", err, d)
	}
}

func TestAnEmptyConfigurationIsValid(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "{}", "null", "clusters:\nhosts:\n", "clusters: []\n"} {
		if f, err := Decode("f", []byte(text)); err != nil || len(f.Clusters) != 0 || len(f.Hosts) != 0 {
			t.Errorf("%q: %+v, %v", text, f, err)
		}
	}
}

func TestAKubeconfigMayLieInTheHomeFolder(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	f, err := Decode("f", []byte("clusters: [{name: a, kubeconfig: ~/.kube/config}]"))
	if err != nil || f.Clusters[0].Kubeconfig != "/home/me/.kube/config" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestWhatIsWrongIsToldByLineAndPath(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an unknown field", "clusters: []\nsecrets: x\n", "f:2: secrets: unknown field; there are clusters, hosts"},
		{"an unknown field of a cluster", "clusters:\n- name: a\n- name: b\n  token: TOPSECRET\n", "f:4: clusters[1].token: unknown field; there are context, drift, kubeconfig, name, prometheus, server"},
		{"a field twice", "hosts: {}\nhosts: {}\n", "f:2: hosts: is there twice"},
		{"a host twice", "hosts:\n  a.b: local\n  a.b: local\n", "f:3: hosts.a.b: is there twice"},
		{"clusters that are no list", "clusters: {a: b}\n", "f:1: clusters: want a list"},
		{"hosts that are no mapping", "hosts: [a]\n", "f:1: hosts: want a mapping"},
		{"a cluster that is no mapping", "clusters: [a]\n", "f:1: clusters[0]: want a mapping"},
		{"a document that is no mapping", "- a\n", "f:1: want a mapping"},
		{"no name", "clusters:\n- server: https://a\n", `f:2: clusters[0].name: "" is not a name`},
		{"a name that is a number", "clusters:\n- name: 1\n", "f:2: clusters[0].name: want a text"},
		{"a server that is no URL", "clusters: [{name: a, server: a.example.com}]\n", `f:1: clusters[0].server: "a.example.com" is not the URL of an API server`},
		{"a server with a password", "clusters: [{name: a, server: 'https://u:TOPSECRET@a/?TOPSECRET'}]\n", `f:1: clusters[0].server: "https://a/" is not the URL of an API server`},
		{"two of a name", "clusters: [{name: a}, {name: a}]\n", "f:1: clusters[1]: a cluster of the same name or server is there already"},
		{"two of a server", "clusters: [{name: a, server: 'https://a'}, {name: b, server: 'https://a/'}]\n", "f:1: clusters[1]: a cluster of the same name or server"},
		{"a mode of drift that there is not", "clusters: [{name: a, drift: Watch}]\n", `f:1: clusters[0].drift: "Watch": want sweep or watch`},
		{"a mode of drift that is no text", "clusters: [{name: a, drift: true}]\n", "f:1: clusters[0].drift: want a text"},
		{"a host with a scheme", "hosts: {'https://github.com': local}\n", "f:1: hosts.https://github.com: "},
		{"a host in capitals", "hosts: {GitHub.com: local}\n", "is not the name of a host in lower case"},
		{"a host that means nothing", "hosts: {github.com: elsewhere}\n", `f:1: hosts.github.com: "elsewhere": want "local" or the URL`},
		{"an unknown field of a host", "hosts: {a.b: {url: x}}\n", "f:1: hosts.a.b.url: unknown field; there are api, tokenFile"},
		{"a host without an API", "hosts: {a.b: {tokenFile: x}}\n", `f:1: hosts.a.b: "": want "local" or the URL`},
		{"a token for this process", "hosts: {a.b: {api: local, tokenFile: x}}\n", "f:1: hosts.a.b: the git host in this process asks for no token"},
		{"a namespace that is none", "clusters: [{name: a, prometheus: {namespace: A.b}}]\n", `f:1: clusters[0].prometheus.namespace: "A.b" is not the name of a namespace`},
		{"an alias", "clusters: &a []\nhosts: *a\n", "f:2: hosts: want a mapping"},
		{"two documents", "clusters: []\n---\nhosts: {}\n", "a second document"},
		{"no YAML", "clusters: [\n", "f: line 1: "},
		{"a bomb", "a: &a [x,x]\nb: &b [*a,*a]\n", "f:2: b: unknown field"},
		{"too long", strings.Repeat("#", maxSize+1), "f: more than 1048576 bytes"},
	} {
		_, err := Decode("f", []byte(c.text))
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "TOPSECRET") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); !fault.Is(err, fault.NotFound) {
		t.Errorf("no file: %v", err)
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	_, err := Decode("f", []byte("clusters:\n- nam: a\n- server: x\n  name: b\nhosts:\n  a.b: c\n"))
	if got := strings.Split(err.Error(), "\n"); len(got) != 4 {
		t.Errorf("%d problems, want 4: %v", len(got), err)
	}
}

func TestASecretIsMadeOnceForItsOwnerOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "webhook-secret")
	first, err := Secret(path)
	if err != nil || first.Len() < 32 {
		t.Fatalf("%d bytes, %v", first.Len(), err)
	}
	if again, err := Secret(path); err != nil || string(again.Reveal()) != string(first.Reveal()) {
		t.Errorf("read another one, %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // to see it refused
		t.Fatal(err)
	}
	if _, err := Secret(path); !fault.Is(err, fault.Denied) {
		t.Errorf("a secret that others may read: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left beside it: %v, %v", left, err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSecret(empty); !fault.Is(err, fault.Denied) {
		t.Errorf("a secret of nothing: %v", err)
	}
	if _, err := Secret(filepath.Join(path, "x")); err == nil {
		t.Error("a secret below a file")
	}
}
