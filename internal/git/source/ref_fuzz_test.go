package source

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzRef holds that whatever a targetRevision is, it is refused or stays below /commits/ as it was.
func FuzzRef(f *testing.F) {
	for _, s := range []string{"main", "HEAD", "", "feature/x", "a..b", "../../user", "x?y#z", "%2e%2e", "refs/heads/a", "refs/x", "a\nb", "-x", "@", "a@{1}", "ä"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		places, err := names(repoR, ref)
		if err != nil {
			return
		}
		for _, p := range places {
			base := "https://api.github.com/repos/o/r/commits/"
			u, err := url.Parse(base + escape(p))
			if err != nil {
				t.Fatalf("%q: %v", ref, err)
			}
			joined := u.ResolveReference(&url.URL{})
			if u.RawQuery != "" || u.Fragment != "" || joined.Path != "/repos/o/r/commits/"+p || !strings.HasSuffix(p, strings.TrimPrefix(ref, "refs/")) {
				t.Errorf("%q asks for %q", ref, u)
			}
		}
	})
}
