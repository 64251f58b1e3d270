package metrics

import (
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
)

// FuzzNoAddressLeavesTheServiceProxy holds whatever the address: what goes with the API server's credentials goes to a
// Service's proxy.
func FuzzNoAddressLeavesTheServiceProxy(f *testing.F) {
	for _, s := range []string{"http://prometheus:9090", "http://a.b.svc:1/x/", "http://p/../..", "https://p/%2e%2e/", "http://p:1/a/./b", "http://p//", "http://a.b.svc/..%2f.."} {
		f.Add(s)
	}
	api := &url.URL{Scheme: "https", Host: "api.example.com", Path: "/base"}
	p := New(Options{API: api, Transport: http.DefaultTransport, Namespace: "monitoring"})
	want := regexp.MustCompile(`^/base/api/v1/namespaces/[a-z0-9-]+/services/https?:[a-z0-9-]+:[0-9]{1,5}/proxy(/|$)`)
	f.Fuzz(func(t *testing.T, address string) {
		got, err := p.target(t.Context(), at(address))
		if err != nil || got.next != p.options.Transport {
			return
		}
		if got.address.Host != api.Host || !want.MatchString(got.address.Path) || path.Clean(got.address.Path) != strings.TrimSuffix(got.address.Path, "/") || got.address.RawQuery != "" || !got.onlyGet {
			t.Errorf("%q goes to %s", address, got.address)
		}
	})
}
