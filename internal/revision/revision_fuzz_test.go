package revision_test

import (
	"strings"
	"testing"
	"unicode"

	. "slipway/internal/revision"
)

func FuzzParseSHA(f *testing.F) {
	for _, s := range []string{"", "abc", strings.Repeat("a", 40), strings.Repeat("F", 40), strings.Repeat("0", 64), strings.Repeat("0", 40) + "\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseSHA(s)
		if err != nil {
			if got != "" || len(err.Error()) > 1000 {
				t.Fatalf("%q with %v", got, err)
			}
			return
		}
		if string(got) != s || len(s) != 40 && len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
			t.Fatalf("accepted %q as %q", s, got)
		}
	})
}

// What is accepted has one form, which parses to itself and is safe to compare, to store and to show.
func FuzzParseRepository(f *testing.F) {
	for _, s := range []string{
		"https://github.com/myorg/k8s-config", "git@github.com:myorg/k8s-config.git", "ssh://git@github.com:22/a/b", "http://127.0.0.1:8080/a/b",
		"https://u:p@h/a/b", "HTTPS://H/A/B/", "h/a/b", "//h/a/b", "https://h/a/../b", "https://h/a%2f../b", "https://[::1]:80/a/b", "a@b:c/d", ":", "https://h:/a/b", "https://h/a/b.git.git", "https://h//a//b", "h/a/.", "./a/b", "h/a/...git", "h/a/.git",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseRepository(s)
		if err != nil {
			if got != "" || len(err.Error()) > 2000 {
				t.Fatalf("%q with %v", got, err)
			}
			return
		}
		r := string(got)
		if again, err := ParseRepository(r); err != nil || again != got {
			t.Fatalf("%q became %q, which became %q, %v", s, got, again, err)
		}
		if strings.ContainsFunc(r, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) || unicode.IsUpper(c) }) || strings.ContainsAny(r, `@?#%\*`) {
			t.Fatalf("%q became %q", s, got)
		}
		for _, part := range strings.Split(r, "/") {
			if part == "" || part == "." || part == ".." {
				t.Fatalf("%q became %q", s, got)
			}
		}
		if got.Host()+"/"+got.Path() != r || strings.Count(r, "/") < 2 {
			t.Fatalf("%q is not host and path", got)
		}
	})
}
