package metrics

import (
	"net/http"
	"strings"
	"testing"

	"slipway/internal/fault"
)

func TestAddressesThatAreNotAsked(t *testing.T) { // security S7
	none, priv, loop, all := Options{}, Options{Private: true}, Options{Loopback: true}, Options{Private: true, Loopback: true}
	for address, allowed := range map[string][]Options{
		"140.82.121.6:443": {none, priv, loop, all}, "[2606:50c0:8000::154]:443": {none, priv, loop, all}, "172.32.0.1:80": {none, priv, loop, all},
		"[64:ff9b::8c52:7906]:443": {none, priv, loop, all}, // 140.82.121.6 through NAT64
		"10.1.2.3:9090":            {priv, all}, "172.16.0.1:9090": {priv, all}, "192.168.1.1:9090": {priv, all}, "100.64.0.1:80": {priv, all},
		"[fc00::1]:80": {priv, all}, "[::ffff:10.0.0.1]:80": {priv, all}, "[64:ff9b::a00:1]:80": {priv, all}, "[::a00:1]:80": {priv, all},
		"127.0.0.1:9001": {loop, all}, "127.8.9.1:80": {loop, all}, "[::1]:80": {loop, all}, "[::ffff:127.0.0.1]:80": {loop, all}, "[64:ff9b::7f00:1]:80": {loop, all},
		"169.254.169.254:80": {}, "169.254.170.2:80": {}, "[fe80::1]:80": {}, "[fe80::1%eth0]:80": {}, "[fd00:ec2::254]:80": {}, "0.0.0.0:80": {},
		"[::]:80": {}, "224.0.0.1:80": {}, "[ff02::1]:80": {}, "255.255.255.255:80": {}, "[::ffff:169.254.169.254]:80": {},
		"[64:ff9b::a9fe:a9fe]:80": {}, "[2002:a9fe:a9fe::]:80": {}, "[64:ff9b:1::1]:80": {}, "localhost:80": {}, "": {},
	} {
		for _, o := range []Options{none, priv, loop, all} {
			want := false
			for _, a := range allowed {
				want = want || a.Private == o.Private && a.Loopback == o.Loopback
			}
			if err := guard(o)("tcp", address, nil); (err == nil) != want || err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("%s with %v %v: %v", address, o.Private, o.Loopback, err)
			}
		}
	}
}

func TestAHostThatResolvesToThisMachineIsNotAsked(t *testing.T) {
	s := serve(t, http.StatusOK, success("vector", one))
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]"} {
		_, _, err := New(Options{Private: true}).Query(t.Context(), at("http://"+host+port), noon)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "not asked") {
			t.Errorf("%s: %v", host, err)
		}
	}
	if n := len(s.requests()); n > 0 {
		t.Errorf("%d requests arrived", n)
	}
}
