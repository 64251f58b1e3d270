package source

import (
	"strings"
	"testing"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

func TestAHostThatCannotBeSafeIsRefused(t *testing.T) {
	good := GitHubCom(nil)
	for name, c := range map[string]struct {
		hosts []Host
		want  string
	}{
		"no name":        {[]Host{{API: "https://api.example.com"}}, "has no name"},
		"named twice":    {[]Host{good, {Name: "GitHub.com", API: "https://x.example.com"}}, "named twice"},
		"plain http":     {[]Host{{Name: "a", API: "http://api.example.com"}}, "must be https"},
		"a file":         {[]Host{{Name: "a", API: "file:///etc", Plain: true}}, "without user"},
		"another scheme": {[]Host{{Name: "a", API: "ftp://x/", Plain: true}}, "must be https"},
		"a user":         {[]Host{{Name: "a", API: "https://u:TOPSECRET@x/"}}, "without user"},
		"a query":        {[]Host{{Name: "a", API: "https://x/?token=TOPSECRET"}}, "without user"},
		"nothing":        {[]Host{{Name: "a"}}, "without user"},
		"not a URL":      {[]Host{{Name: "a", API: "https://TOPSECRET\x7f"}}, "must be a URL"},
	} {
		if _, err := New(c.hosts...); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "TOPSECRET") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(good, Host{Name: "ghe.example.com", API: "https://ghe.example.com/api/v3/"}); err != nil {
		t.Error(err)
	}
}

func TestOnlyConfiguredHostsAreAsked(t *testing.T) {
	f := fakeHost(t, nil)
	g := f.client(t)
	for _, r := range []revision.Repository{"example.com/o/r", "evil.github.com/o/r", "github.com:8443/o/r", "github.com/o", "github.com/o/r/s", "github.com/../r", ""} {
		if _, err := g.Tip(t.Context(), r, "main"); !fault.Is(err, fault.Invalid) {
			t.Errorf("tip of %q: %v", r, err)
		}
		if _, err := g.Compare(t.Context(), r, shaA, shaB); !fault.Is(err, fault.Invalid) {
			t.Errorf("comparison in %q: %v", r, err)
		}
		if _, err := g.Archive(t.Context(), r, shaA); !fault.Is(err, fault.Invalid) {
			t.Errorf("archive of %q: %v", r, err)
		}
	}
	if n := len(f.requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}
