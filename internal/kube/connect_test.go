package kube

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
)

func TestKubeconfigsThatAreNotUsedAreRefusedByReason(t *testing.T) {
	const cluster = "{server: 'https://10.0.0.1:6443'}"
	for name, test := range map[string]struct{ text, says string }{
		"a program":                      {kubeconfigText(cluster, "{exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}}"), `exec "aws" is not supported`},
		"an auth provider":               {kubeconfigText(cluster, "{auth-provider: {name: gcp}}"), `auth-provider "gcp" is not supported`},
		"no verification":                {kubeconfigText("{server: 'https://10.0.0.1', insecure-skip-tls-verify: true}", token), "insecure-skip-tls-verify is not supported"},
		"plain http":                     {kubeconfigText("{server: 'http://10.0.0.1'}", token), "is not https"},
		"a password":                     {kubeconfigText(cluster, "{username: a, password: p4ss}"), "username and password are not supported"},
		"impersonation of an admin":      {kubeconfigText(cluster, "{token: t, as: admin}"), `as "admin" is not supported`},
		"impersonation of nobody":        {kubeconfigText(cluster, "{token: t, as: ''}"), `as "" is not supported`},
		"impersonation of null":          {kubeconfigText(cluster, "{token: t, as: null}"), `as "" is not supported`},
		"groups without a user":          {kubeconfigText(cluster, "{token: t, as-groups: ['system:masters']}"), `as "" is not supported`},
		"a service account without name": {kubeconfigText(cluster, "{token: t, as: 'system:serviceaccount:n:'}"), "is not supported"},
		"no such context":                {strings.Replace(kubeconfigText(cluster, token), "current-context: here", "current-context: there", 1), `has no context "there"`},
		"no such cluster":                {strings.Replace(kubeconfigText(cluster, token), "cluster: c,", "cluster: d,", 1), `names cluster "d"`},
		"no such user":                   {strings.Replace(kubeconfigText(cluster, token), "user: u}", "user: v}", 1), `names user "v"`},
		"a server that is no URL":        {kubeconfigText("{server: '::'}", token), "is not a URL"},
		"an authority that is absent":    {kubeconfigText("{server: 'https://10.0.0.1', certificate-authority: absent.pem}", token), "absent.pem"},
		"no YAML":                        {"a: b: c", "parse kubeconfig"},
		"nothing":                        {"", "has no context"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "kubeconfig")
			write(t, file, test.text)
			_, err := Connect(app.Cluster{Name: "prod", Kubeconfig: file})
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("got %v", err)
			}
			says(t, err, "cluster prod", file, test.says)
			if strings.Contains(err.Error(), "p4ss") {
				t.Errorf("the password is in %q", err)
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		_, err := Connect(app.Cluster{Name: "prod", Kubeconfig: filepath.Join(t.TempDir(), "absent")})
		says(t, err, "cluster prod", "no such file")
		_, err = Connect(app.Cluster{Name: "prod"})
		says(t, err, "cluster prod", "no kubeconfig is configured")
	})
}

func TestImpersonationGoesWithEveryRequest(t *testing.T) {
	const account = "system:serviceaccount:team-a:deployer"
	check := func(r *http.Request) {
		if got := r.Header.Get("Impersonate-User"); got != account {
			t.Errorf("%s %s is sent as %q", r.Method, r.URL.Path, got)
		}
	}
	s := &server{serve: func(w http.ResponseWriter, r *http.Request) { echo(w, r) }}
	h := quietServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { check(r); s.ServeHTTP(w, r) }))
	t.Cleanup(h.Close)
	c, err := Connect(app.Cluster{Name: "a", Kubeconfig: kubeconfig(t, h, "{token: t, as: '"+account+"'}")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, _, err := c.Apply(t.Context(), someObject("ConfigMap"), true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), aConfigMap); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), aConfigMap, "u", "2"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Adopt(t.Context(), aConfigMap, "u", "2", someEntries); err != nil {
		t.Log(err) // the fake's answer is no metadata; the header is what counts
	}
	if s.asked.Load() < 4 {
		t.Errorf("%d requests", s.asked.Load())
	}
}

func TestAContextOtherThanTheCurrentCanBeNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	write(t, file, `
apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: one, user: u}}
- {name: two, context: {cluster: two, user: u}}
clusters:
- {name: one, cluster: {server: 'https://one:6443'}}
- {name: two, cluster: {server: 'https://two:6443/k8s/clusters/c-1'}}
users: [{name: u, user: {token: t}}]
`)
	for context, want := range map[string]string{"": "https://one:6443", "two": "https://two:6443/k8s/clusters/c-1"} {
		c, err := Connect(app.Cluster{Name: "x", Kubeconfig: file, Context: context})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(c.base.String(), "/"); got != want {
			t.Errorf("context %q is %s, want %s", context, got, want)
		}
	}
}

func TestAServersOwnPathGoesBeforeTheAPIs(t *testing.T) {
	s := &server{serve: func(w http.ResponseWriter, r *http.Request) { echo(w, r) }}
	h := quietServer(http.StripPrefix("/k8s/clusters/c-1", s))
	t.Cleanup(h.Close)
	file := kubeconfig(t, h, token)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, strings.Replace(string(text), h.URL, h.URL+"/k8s/clusters/c-1", 1))
	c, err := Connect(app.Cluster{Name: "rancher", Kubeconfig: file})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := c.Get(t.Context(), aConfigMap); err != nil {
		t.Fatal(err)
	}
}

func TestClustersKeepTheirConnectionUntilTheKubeconfigIsWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	write(t, file, kubeconfigText("{server: 'https://one:6443'}", token))
	at := app.Cluster{Name: "prod", Kubeconfig: file}
	var p Clusters
	first, err := p.For(at)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := p.For(at); err != nil || again != first {
		t.Fatal("the connection is not kept", err)
	}
	elsewhere := at
	elsewhere.Context = "here"
	if c, err := p.For(elsewhere); err != nil || c == first {
		t.Fatal("another context has the same connection", err)
	}
	write(t, file, kubeconfigText("{server: 'https://two:6443'}", token))
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
	c, err := p.For(at)
	if err != nil || c == first || c.base.Host != "two:6443" {
		t.Fatal("the kubeconfig is not read again", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := p.For(at); !fault.Is(err, fault.Invalid) {
		t.Fatal(err)
	}
}
