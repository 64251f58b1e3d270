package cluster

import (
	"regexp"
	"strings"
	"testing"
)

func TestANamespacesNameStartsWithItsTests(t *testing.T) {
	valid := regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)
	for test, want := range map[string]string{
		"TestApply":                              "apply-",
		"TestApply/refuses_a_b":                  "apply-refuses-a-b-",
		"TestApply/\u00e9\u00e9":                 "apply-",
		"Test":                                   "test-",
		"Test/" + strings.Repeat("x", 56) + "/y": strings.Repeat("x", 56) + "-",
	} {
		got := prefix(test)
		if got != want {
			t.Errorf("prefix(%q) = %q, want %q", test, got, want)
		}
		if name := got + "abcde"; len(name) > 63 || !valid.MatchString(name) {
			t.Errorf("%q makes the namespace %q", test, name)
		}
	}
}
