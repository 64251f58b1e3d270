package source

import (
	"net/netip"
	"syscall"

	"slipway/internal/fault"
)

// Addresses that no git host has, whatever the configuration allows: link-local (the metadata and credential endpoints
// of a cloud, 169.254.169.254 and fd00:ec2::254), unspecified, reserved.
var never = prefixes("0.0.0.0/8", "169.254.0.0/16", "240.0.0.0/4", "fe80::/10", "fd00:ec2::/32")

// Addresses of this machine and of private networks: RFC 1918, 6598, 6890, 2544, 4193, and IPv4 inside IPv6.
var private = prefixes("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "192.0.0.0/24",
	"198.18.0.0/15", "::1/128", "fc00::/7", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96")

func prefixes(s ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(s))
	for i := range s {
		out[i] = netip.MustParsePrefix(s[i])
	}
	return out
}

// guard checks the resolved address that is about to be connected to, so a name that resolves to another address the
// second time gains nothing (security S7).
func guard(privateAllowed bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fault.New(fault.Invalid, "connect: %.100q is not an address", address)
		}
		ip := ap.Addr().Unmap().WithZone("")
		if refused(ip, never) || ip.IsMulticast() || ip.IsUnspecified() || !privateAllowed && refused(ip, private) {
			return fault.New(fault.Invalid, "connect to %s: the git host resolves to an address that its configuration does not allow", ip)
		}
		return nil
	}
}

func refused(ip netip.Addr, nets []netip.Prefix) bool {
	for _, n := range nets {
		if n.Contains(ip) {
			return true
		}
	}
	return false
}
