package metrics

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"slipway/internal/fault"
)

// The addresses that are not asked, by who may allow them (security S7).
var (
	// never: unspecified, link-local (the metadata and credential endpoints of a cloud), reserved, fd00:ec2::254, and
	// IPv6 addresses that hold an IPv4 one by ways that nobody uses any more.
	never    = prefixes("0.0.0.0/8", "169.254.0.0/16", "240.0.0.0/4", "::/128", "fe80::/10", "fd00:ec2::/32", "64:ff9b:1::/48", "2002::/16")
	loopback = prefixes("127.0.0.0/8", "::1/128")
	private  = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "fc00::/7", "::/96")
	// nat64 is how a network without IPv4 reaches it: the last four bytes are the address (RFC 6052).
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(s ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(s))
	for i := range s {
		out[i] = netip.MustParsePrefix(s[i])
	}
	return out
}

// guard checks the resolved address that is about to be connected to, so that a name that resolves to another address
// the second time gains nothing.
func guard(o Options) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fault.New(fault.Invalid, "%.100q is not an address", address)
		}
		ip := ap.Addr().Unmap().WithZone("")
		if nat64.Contains(ip) {
			b := ip.As16()
			ip = netip.AddrFrom4([4]byte(b[12:]))
		}
		in := func(nets []netip.Prefix) bool {
			return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(ip) })
		}
		local := in(loopback)
		if in(never) || ip.IsMulticast() || local && !o.Loopback || !local && in(private) && !o.Private {
			return fault.New(fault.Invalid, "resolves to %s, an address that is not asked", ip)
		}
		return nil
	}
}

// direct is the way to a host outside the cluster. It uses no proxy: the guard would check the proxy's address.
func direct(o Options, insecure bool) *http.Transport {
	d := &net.Dialer{Timeout: 5 * time.Second, Control: guard(o)}
	return &http.Transport{
		DialContext: d.DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: insecure, //nolint:gosec // the metric says so, as Argo's do; analysis warns of it
		},
		TLSHandshakeTimeout:    5 * time.Second,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true, // an answer is never larger than what was received
		ForceAttemptHTTP2:      true,
	}
}
