package source

import (
	"strings"
	"testing"

	"slipway/internal/fault"
)

func TestTheDialGuardRefusesAddressesThatNoGitHostHas(t *testing.T) { // security S7
	for address, private := range map[string]bool{
		"127.0.0.1:9001": true, "127.8.9.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true, "10.1.2.3:443": true,
		"172.16.0.1:443": true, "172.31.255.255:443": true, "192.168.1.1:443": true, "100.64.0.1:443": true, "[fc00::1]:443": true,
		"[64:ff9b::7f00:1]:443": true, "[::7f00:1]:443": true, "[2002:7f00:1::]:443": true,
		// never, whatever the configuration says
		"169.254.169.254:80": false, "169.254.170.2:80": false, "[fe80::1]:80": false, "[fe80::1%eth0]:80": false, "[fd00:ec2::254]:80": false,
		"0.0.0.0:80": false, "[::]:80": false, "224.0.0.1:80": false, "[ff02::1]:80": false, "255.255.255.255:80": false,
		"[::ffff:169.254.169.254]:80": false, "localhost:80": false, "": false,
	} {
		if err := guard(false)("tcp", address, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s from outside: %v", address, err)
		}
		if err := guard(true)("tcp", address, nil); (err == nil) != private {
			t.Errorf("%s with private addresses allowed: %v", address, err)
		}
	}
	for _, address := range []string{"140.82.121.6:443", "[2606:50c0:8000::154]:443", "172.32.0.1:443", "11.0.0.1:443"} {
		if err := guard(false)("tcp", address, nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestAHostThatResolvesToThisMachineIsNotAsked(t *testing.T) {
	f := fakeHost(t, nil)
	for _, name := range []string{"127.0.0.1", "localhost", "0.0.0.0"} {
		g := f.client(t, func(h *Host) {
			h.Private = false
			h.API = "http://" + name + f.addr()[strings.LastIndex(f.addr(), ":"):]
		})
		if _, err := g.Tip(t.Context(), repoR, "main"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "does not allow") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(f.requests()); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}
