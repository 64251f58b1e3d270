package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The rows are what helm --set makes of the same (helm pkg/strvals/parser_test.go has most of the shapes).
func TestAParameterIsReadAsHelmReadsASetFlag(t *testing.T) {
	type m = map[string]any
	type l = []any
	for _, c := range []struct {
		name, value string
		force       bool
		start, want m
	}{
		{"a", "1", false, nil, m{"a": int64(1)}},
		{"a", "-1", false, nil, m{"a": int64(-1)}},
		{"a", "1", true, nil, m{"a": "1"}},
		{"a", "", false, nil, m{"a": ""}},
		{"a", "0", false, nil, m{"a": int64(0)}},
		{"a", "00", false, nil, m{"a": "00"}},
		{"a", "1.0", false, nil, m{"a": "1.0"}},
		{"a", "99999999999999999999", false, nil, m{"a": "99999999999999999999"}},
		{"a", "TRUE", false, nil, m{"a": true}},
		{"a", "False", false, nil, m{"a": false}},
		{"a", "Null", false, nil, m{"a": nil}},
		{"a", "null", true, nil, m{"a": "null"}},
		{"a.b.c", "x", false, nil, m{"a": m{"b": m{"c": "x"}}}},
		{`a\.b.c`, "x", false, nil, m{"a.b": m{"c": "x"}}},
		{`a\,b\=c\[0\]`, "x", false, nil, m{"a,b=c[0]": "x"}},
		{"a[1]", "x", false, nil, m{"a": l{nil, "x"}}},
		{"a[0].b", "x", false, m{"a": l{m{"c": "y"}, "z"}}, m{"a": l{m{"b": "x", "c": "y"}, "z"}}},
		{"a[0].b", "x", false, m{"a": l{"scalar"}}, m{"a": l{m{"b": "x"}}}},
		{"a[1][2]", "x", false, nil, m{"a": l{nil, l{nil, nil, "x"}}}},
		{"a.b", "x", false, m{"a": m{"c": "y"}}, m{"a": m{"b": "x", "c": "y"}}},
		{"a", "x", false, m{"a": m{"c": "y"}}, m{"a": "x"}},
		{"a", "x,y,b=z", false, nil, m{"a": "x,y,b=z"}},
		{"a", `x\,y\\z`, false, nil, m{"a": `x,y\z`}},
		{"a", "{x,1,true,null}", false, nil, m{"a": l{"x", int64(1), true, nil}}},
		{"a", "{x,1}", true, nil, m{"a": l{"x", "1"}}},
		{"a", "{}", false, nil, m{"a": l{""}}},
		{"a", `{x\,y,\}}`, false, nil, m{"a": l{"x,y", "}"}}},
		{"a", `\{x`, false, nil, m{"a": "{x"}},
		{"ключ", "значение", false, nil, m{"ключ": "значение"}},
	} {
		got := c.start
		if got == nil {
			got = m{}
		}
		if err := setParameter(got, c.name, c.value, c.force); err != nil {
			t.Errorf("%s=%s: %v", c.name, c.value, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s=%s (-want +got):\n%s", c.name, c.value, diff)
		}
	}
}

func TestABadParameterIsNamedWithoutItsValue(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"", "CANARY", "empty part"},
		{"a..b", "CANARY", "empty part"},
		{"a.", "CANARY", "empty part"},
		{"[0]", "CANARY", "empty part"},
		{"a[0", "CANARY", "without ]"},
		{"a[x]", "CANARY", "index"},
		{"a[-1]", "CANARY", "index"},
		{"a[65537]", "CANARY", "index"},
		{"a[0]b", "CANARY", "after ]"},
		{"a=b", "CANARY", "unescaped"},
		{"a,b", "CANARY", "unescaped"},
		{`a\`, "CANARY", "backslash"},
		{strings.Repeat("a.", 31) + "a", "CANARY", "deeper than 30"},
		{"a", "{CANARY", "does not end"},
		{"a", "{CANARY}x", "after the list"},
		{"scalar.b", "CANARY", "no map"},
		{"scalar[0]", "CANARY", "no list"},
	} {
		err := setParameter(map[string]any{"scalar": "CANARY"}, c.name, c.value, false)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s=%s: got %v, want %q", c.name, c.value, err, c.want)
		}
	}
}
