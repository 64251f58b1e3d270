package drive

import (
	"regexp"
	"strings"
	"testing"

	"slipway/internal/fault"
)

func TestAKeyIsThreeNames(t *testing.T) {
	k, err := ParseKey("c/shop/web")
	if err != nil || k != (Key{"c", "shop", "web"}) || k.String() != "c/shop/web" {
		t.Errorf("%v %v", k, err)
	}
	for _, bad := range []string{"", "a", "a/b", "a/b/c/d", "/b/c", "a//c", "a/b/"} {
		if _, err := ParseKey(bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Step Functions takes 80 characters, and a name for 90 days.
func TestTheNameOfAnExecutionIsPlainAndNew(t *testing.T) {
	plain := regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	seen := map[string]bool{}
	for _, k := range []Key{{"c", "shop", "web"}, {"prod.eu-west-1", "shop", "a.b.c"}, {strings.Repeat("c", 63), strings.Repeat("n", 63), strings.Repeat("w", 253)}} {
		for _, fence := range []uint64{1, 1_764_000_000_000_000_000, 1<<64 - 1} {
			name := k.execution("7bf79765b7.b7786f879")(fence)
			if !plain.MatchString(name) || seen[name] || !strings.Contains(name, "-7bf79765b7-") {
				t.Errorf("%d characters: %s", len(name), name)
			}
			seen[name] = true
		}
	}
}

func TestARevisionIsTemplateAndSteps(t *testing.T) {
	revision := func(manifest string) string {
		ro, err := decode(object(t, manifest))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Revision(ro)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	base := revision(short)
	for name, c := range map[string]struct {
		manifest string
		same     bool
	}{
		"another image":    {strings.Replace(short, "web:1", "web:2", 1), false},
		"another step":     {strings.Replace(short, "setWeight: 20", "setWeight: 30", 1), false},
		"another replicas": {strings.Replace(short, "replicas: 4", "replicas: 5", 1), true},
	} {
		if got := revision(c.manifest); (got == base) != c.same {
			t.Errorf("%s: %s and %s", name, base, got)
		}
	}
}
