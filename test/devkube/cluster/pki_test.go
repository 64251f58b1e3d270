package cluster

import (
	"os"
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
		for _, path := range []string{p.admin, p.controllers, p.scheduler, p.kwok} {
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
