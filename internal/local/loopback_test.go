package local

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"slipway/internal/fault"
)

func TestOnlyRequestsToThisMachineAreAnswered(t *testing.T) {
	h := local(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for host, want := range map[string]int{
		"127.0.0.1:8080": 204, "127.0.0.1": 204, "[::1]:8080": 204, "[::1]": 204, "localhost:1": 204, "LOCALHOST": 204,
		"evil.example": 421, "evil.example:8080": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example:80": 421, "": 421, "[::1].evil.example": 421,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/git/a/b.git/info/refs", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("host %q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestAPageOfAnotherOriginCannotPost(t *testing.T) {
	h := local(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for name, c := range map[string]struct {
		header, value string
		want          int
	}{
		"git":               {"User-Agent", "git/2.39", 204},
		"a page":            {"Origin", "https://evil.example", 403},
		"a newer browser's": {"Sec-Fetch-Site", "cross-site", 403},
		"our own page":      {"Sec-Fetch-Site", "same-origin", 204},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1/git/a/b.git/git-receive-pack", nil)
		r.Header.Set(c.header, c.value)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
}

func TestItListensOnThisMachineOnly(t *testing.T) {
	for ip, want := range map[string]fault.Kind{"0.0.0.0": fault.Invalid, "::": fault.Invalid, "192.0.2.1": fault.Invalid} {
		if err := loopback(&net.TCPAddr{IP: net.ParseIP(ip)}); !fault.Is(err, want) {
			t.Errorf("%s: %v", ip, err)
		}
	}
	for _, ip := range []string{"127.0.0.1", "127.0.0.2", "::1"} {
		if err := loopback(&net.TCPAddr{IP: net.ParseIP(ip)}); err != nil {
			t.Errorf("%s: %v", ip, err)
		}
	}
}
