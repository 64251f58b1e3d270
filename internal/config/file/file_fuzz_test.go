package file

import (
	"testing"

	"slipway/internal/fault"
)

// Any text is a configuration with names and addresses, or Invalid; never a panic.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{whole, "", "- a", "clusters: [{name: a, name: b}]", "hosts: {? [a] : b}", "a: &a [*a]", "clusters: *x", "!!binary x", "clusters: !!str x", "\t"} {
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
			if !nameForm.MatchString(cl.Name) {
				t.Fatalf("cluster %q", cl.Name)
			}
		}
		for h, to := range c.Hosts {
			if !hostForm.MatchString(h) || to.API == "" {
				t.Fatalf("host %q: %q", h, to.API)
			}
		}
	})
}
