package cluster

import (
	"context"
	"net"
	"net/netip"
	"strconv"
)

// podNetwork is where KWOK's pods have their addresses. Nothing listens there.
var podNetwork = netip.MustParsePrefix("10.244.0.0/16")

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// dialPods is how the API server's proxy of Services and pods gets to what listens here in place of the pods: ports
// gives the address behind a port of any pod. Everything else goes on to next.
//
// No EndpointSlice can say so: it may not name a loopback address (k8s.io/kubernetes pkg/apis/discovery/validation), and
// the proxy goes only where a pod of the Service's namespace has the address (pkg/registry/core/service/storage
// isValidAddress).
func dialPods(ports map[int]string, next dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if to, ok := behind(ports, address); ok {
			address = to
		}
		return next(ctx, network, address)
	}
}

func behind(ports map[int]string, address string) (to string, ok bool) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !podNetwork.Contains(ip) {
		return "", false
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return "", false
	}
	to, ok = ports[n]
	return to, ok
}
