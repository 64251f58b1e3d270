package cluster

import (
	"context"
	"errors"
	"net"
	"testing"
)

func TestAPortOfEveryPodCanBeHere(t *testing.T) {
	ports := map[int]string{9090: "127.0.0.1:1234"}
	for address, want := range map[string]string{
		"10.244.0.7:9090":   "127.0.0.1:1234",
		"10.244.255.9:9090": "127.0.0.1:1234",
		"10.244.0.7:9091":   "10.244.0.7:9091", // another port
		"10.245.0.7:9090":   "10.245.0.7:9090", // no pod
		"example.com:9090":  "example.com:9090",
		"10.244.0.7:http":   "10.244.0.7:http",
		"10.244.0.7":        "10.244.0.7",
	} {
		var got string
		stop := errors.New("stop")
		d := dialPods(ports, func(_ context.Context, _, address string) (net.Conn, error) {
			got = address
			return nil, stop
		})
		if _, err := d(t.Context(), "tcp", address); !errors.Is(err, stop) || got != want {
			t.Errorf("%s goes to %s, %v; want %s", address, got, err, want)
		}
	}
}
