package file

import (
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// Any text is a configuration with names and addresses, or Invalid; never a panic.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{whole, "", "- a", "clusters: [{name: a, name: b}]", "clusters: [{name: a, drift: watch}]", "hosts: {? [a] : b}", "a: &a [*a]", "clusters: *x", "!!binary x", "clusters: !!str x", "\t"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Decode("f", data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is %s", err, fault.Of(err))
			}
			return
		}
		for _, cl := range c.Clusters {
			if m := cl.DriftMode(); !nameForm.MatchString(cl.Name) || m != app.DriftSweep && m != app.DriftWatch {
				t.Fatalf("cluster %q with drift %q", cl.Name, m)
			}
		}
		for h, to := range c.Hosts {
			if !hostForm.MatchString(h) || to.API == "" {
				t.Fatalf("host %q: %q", h, to.API)
			}
		}
	})
}
