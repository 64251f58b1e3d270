package local

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"slipway/internal/fault"
)

// loopback refuses to listen where others reach it: the git host asks for no password, and whoever pushes deploys.
func loopback(a net.Addr) error {
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsLoopback() {
		return nil
	}
	return fault.New(fault.Invalid, "listen on %s: only addresses of this machine itself, such as 127.0.0.1: the git host asks for no password", a)
}

// local answers only requests that name this machine by address or as localhost, and none that a page of another origin
// sends. A page can point a name of its own at the loopback address (DNS rebinding); it would then be of one origin with
// the git host and could push.
func local(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil && !strings.EqualFold(host, "localhost") {
			http.Error(w, "this server answers to its address only", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}
