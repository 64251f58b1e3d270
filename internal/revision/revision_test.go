package revision_test

import (
	"strings"
	"testing"

	. "slipway/internal/revision"
)

func TestParseSHA(t *testing.T) {
	hex := "0123456789abcdef0123456789abcdef01234567"
	for name, tc := range map[string]struct {
		in string
		ok bool
	}{
		"accepts 40 digits":                     {hex, true},
		"accepts 64 digits":                     {strings.Repeat("0a", 32), true},
		"refuses an abbreviated one":            {hex[:39], false},
		"refuses 41 digits":                     {hex + "0", false},
		"refuses upper case":                    {strings.ToUpper(hex), false},
		"refuses other letters":                 {strings.Replace(hex, "a", "g", 1), false},
		"refuses none":                          {"", false},
		"refuses a line end":                    {hex + "\n", false},
		"refuses a second line":                 {hex + "\n" + hex, false},
		"refuses the id of no commit with text": {strings.Repeat("0", 40) + " ", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseSHA(tc.in)
			if (err == nil) != tc.ok || tc.ok && string(got) != tc.in || !tc.ok && got != "" {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	if got := SHA(hex).Short(); got != "0123456" {
		t.Errorf("short is %q", got)
	}
	if got := SHA("abc").Short(); got != "abc" {
		t.Errorf("short of a short one is %q", got)
	}
}

func TestOneRepositoryHasOneForm(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"https://github.com/myorg/k8s-config", "github.com/myorg/k8s-config"},
		{"https://github.com/myorg/k8s-config.git", "github.com/myorg/k8s-config"},
		{"https://github.com/myorg/k8s-config/", "github.com/myorg/k8s-config"},
		{"https://GitHub.com/MyOrg/K8s-Config", "github.com/myorg/k8s-config"},
		{"https://github.com:443/myorg/k8s-config", "github.com/myorg/k8s-config"},
		{"https://someone@github.com/myorg/k8s-config", "github.com/myorg/k8s-config"},
		{"http://127.0.0.1:8080/myorg/k8s-config", "127.0.0.1:8080/myorg/k8s-config"},
		{"ssh://git@github.com/myorg/k8s-config.git", "github.com/myorg/k8s-config"},
		{"ssh://git@github.com:22/myorg/k8s-config.git", "github.com/myorg/k8s-config"},
		{"git@github.com:myorg/k8s-config.git", "github.com/myorg/k8s-config"},
		{"github.com/myorg/k8s-config", "github.com/myorg/k8s-config"},
		{"https://gitlab.example.com/group/sub/project", "gitlab.example.com/group/sub/project"},
	} {
		got, err := ParseRepository(tc.in)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %q, %v", tc.in, got, err)
		}
		if again, err := ParseRepository(string(got)); err != nil || again != got {
			t.Errorf("%s: its own form gives %q, %v", got, again, err)
		}
	}
}

func TestParseRepositoryRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":              "",
		"a host alone":         "https://github.com",
		"no owner":             "https://github.com/k8s-config",
		"a file":               "file:///srv/git/k8s-config",
		"git's own protocol":   "git://github.com/myorg/k8s-config",
		"an OCI image":         "oci://ghcr.io/myorg/chart",
		"dots that climb":      "https://github.com/../myorg/k8s-config",
		"dots at the end":      "https://github.com/myorg/..",
		"a single dot":         "https://github.com/./myorg/k8s-config",
		"a regular expression": "https://github.com/myorg/.*",
		"a line end":           "https://github.com/myorg/k8s\nconfig",
		"a space":              "https://github.com/myorg/k8s config",
		"a query":              "https://github.com/myorg/k8s-config?ref=main",
		"an empty query":       "https://github.com/myorg/k8s-config?",
		"a fragment":           "https://github.com/myorg/k8s-config#main",
		"10 kB":                "https://github.com/" + strings.Repeat("a b", 3_500),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRepository(in)
			if err == nil {
				t.Fatalf("accepted as %q", got)
			}
			if len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("an error of %d bytes: %q", len(err.Error()), err)
			}
		})
	}
}

// CVE-2023-25163: repository credentials in error messages.
func TestNoErrorOfParseRepositoryHoldsACredential(t *testing.T) {
	for _, in := range []string{
		"ftp://user:s3cret@github.com/myorg/k8s-config",
		"https://user:s3cret@github.com/k8s-config",
		"https://s3cret@github.com",
		"https://user:s3%cret@github.com/myorg/k8s-config",
		"https://user:s3/cret@github.com/myorg/k8s-config",
		"https://user:s3@cret@github.com/k8s config",
		"user:s3cret@github.com:k8s config",
		"https://github.com/k8s-config?token=s3cret",
		"https://github.com/myorg/k8s-config#s3cret",
	} {
		_, err := ParseRepository(in)
		if err == nil {
			t.Errorf("%s is accepted", in)
		} else if strings.Contains(err.Error(), "s3") || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestHostAndPathOfARepository(t *testing.T) {
	for _, tc := range []struct{ in, host, path string }{
		{"github.com/myorg/k8s-config", "github.com", "myorg/k8s-config"},
		{"gitlab.example.com:8443/group/sub/project", "gitlab.example.com:8443", "group/sub/project"},
	} {
		r := Repository(tc.in)
		if r.Host() != tc.host || r.Path() != tc.path {
			t.Errorf("%s: %q and %q", tc.in, r.Host(), r.Path())
		}
	}
}

func TestMoveCovers(t *testing.T) {
	const repo, other = Repository("github.com/myorg/k8s-config"), Repository("github.com/myorg/other")
	for name, tc := range map[string]struct {
		m    Move
		s    Source
		want bool
	}{
		"the branch it names":                      {Move{Repository: repo, Ref: "main"}, Source{repo, "main"}, true},
		"no other branch":                          {Move{Repository: repo, Ref: "main"}, Source{repo, "maint"}, false},
		"no other repository":                      {Move{Repository: repo, Ref: "main"}, Source{other, "main"}, false},
		"HEAD where the default branch moved":      {Move{Repository: repo, Ref: "main", Default: true}, Source{repo, Head}, true},
		"the default branch by its name as well":   {Move{Repository: repo, Ref: "main", Default: true}, Source{repo, "main"}, true},
		"HEAD not where another branch moved":      {Move{Repository: repo, Ref: "dev"}, Source{repo, Head}, false},
		"HEAD of no other repository":              {Move{Repository: repo, Ref: "main", Default: true}, Source{other, Head}, false},
		"HEAD when a sweep names it":               {Move{Repository: repo, Ref: Head}, Source{repo, Head}, true},
		"a branch with a slash":                    {Move{Repository: repo, Ref: "release/1"}, Source{repo, "release/1"}, true},
		"no branch by the last part of its name":   {Move{Repository: repo, Ref: "release/1"}, Source{repo, "1"}, false},
		"no branch that differs only by its case":  {Move{Repository: repo, Ref: "Main"}, Source{repo, "main"}, false},
		"nothing else when the default branch did": {Move{Repository: repo, Ref: "main", Default: true}, Source{repo, "dev"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.m.Covers(tc.s); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
	if got := (Source{repo, "main"}).String(); got != "github.com/myorg/k8s-config@main" {
		t.Errorf("key %q", got)
	}
}
