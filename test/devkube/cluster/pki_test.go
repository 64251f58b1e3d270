package cluster

import (
	"os"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
)

func TestEachIdentityKeepsItsCredentialsOverARestart(t *testing.T) {
	dir := t.TempDir()
	credentials := func(server string) map[string]string {
		p, err := ensurePKI(dir, server)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		paths := []string{p.admin}
		for _, id := range identities {
			paths = append(paths, p.kubeconfig(id.user))
		}
		for _, path := range paths {
			c, err := clientcmd.BuildConfigFromFlags("", path)
			if err != nil {
				t.Fatal(err)
			}
			if c.Host != server {
				t.Errorf("%s names %s, want %s", path, c.Host, server)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
			}
			out[path] = c.BearerToken + string(c.CertData)
		}
		return out
	}
	first, second := credentials("https://127.0.0.1:1"), credentials("https://127.0.0.1:2")
	seen := map[string]bool{}
	for path, c := range first {
		if c == "" || c != second[path] || seen[c] {
			t.Errorf("%s: no credentials, new ones, or another's", path)
		}
		seen[c] = true
	}
}

func TestADirectoryOlderThanAnIdentityGetsIt(t *testing.T) {
	dir := t.TempDir()
	p, err := ensurePKI(dir, "https://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(p.tokens)
	if err != nil {
		t.Fatal(err)
	}
	last := strings.LastIndex(strings.TrimSpace(string(b)), "\n") + 1
	if err := os.WriteFile(p.tokens, b[:last], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ensurePKI(dir, "https://127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	now, err := os.ReadFile(p.tokens)
	if err != nil || !strings.HasPrefix(string(now), string(b[:last])) || strings.Count(string(now), "\n") != len(identities) {
		t.Errorf("tokens %q became %q, %v", b[:last], now, err)
	}
}
