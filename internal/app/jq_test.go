package app_test

import (
	"strings"
	"testing"

	. "slipway/internal/app"
)

func TestTheJQThatSelectsFields(t *testing.T) {
	for _, x := range []string{
		".spec.replicas", ".", "..", `.metadata.annotations["a.b/c"]`, ".spec.ports[0]", ".spec.ports[-1].nodePort", ".webhooks[]?.clientConfig.caBundle",
		`.spec.template.spec.containers[] | select(.name == "app").image`, `.spec.template.spec.initContainers[] | select(.name == "injected")`,
		`.spec.template.spec.containers[].env[] | select(.name | test("^DD_"))`, `.. | .caBundle?`, `.a, .b`, `.a // .b`, `first(.a[])`, `.a[] as $x | .b[] | select(. == $x)`,
		`if .spec.type == "NodePort" then .spec.ports[].nodePort else empty end`, `.a[] | select(.name | IN("x", "y"))`, `.a | select(any(.b[]; . == 1) and has("c") | not)`,
		`getpath(["spec", "replicas"])`, `.a | select(. == {"x": [1, -1, true, null]})`, `try .a catch .b`, `.spec[("a","b")]`, `.a["b"]?`, `.metadata.labels | select(to_entries | any(.key == "x"))`,
	} {
		if _, err := CompileJQ(x); err != nil {
			t.Errorf("%s is refused: %v", x, err)
		}
	}
}

// Each of these fills memory, reads what it must not, or never ends.
func TestTheRestOfJQIsRefused(t *testing.T) {
	for x, why := range map[string]string{
		"":                                 "is empty",
		".a[":                              "is no jq expression",
		".a) | path(.b":                    "is no jq expression",
		"nosuch":                           "function nosuch is not supported",
		"$nosuch":                          "is no jq expression",
		"[range(1e9)]":                     "constants only",
		"range(1e9)":                       "function range is not supported",
		`"x" * 1e9`:                        "operator * is not supported",
		". + .":                            "operator + is not supported",
		".a |= .b":                         "operator |= is not supported",
		".a = 1":                           "operator = is not supported",
		"def f: f; f":                      "def is not supported",
		".a | def f: .; f":                 "def is not supported",
		"(.a | def f: f; f)":               "def is not supported",
		"[.[] | [..]]":                     "constants only",
		"{a: .}":                           "constants only",
		"{a}":                              "constants only",
		"{(.a): 1}":                        "constants only",
		`{"\(.a)": 1}`:                     "in a text is not supported",
		`"\(.)\(.)"`:                       "in a text is not supported",
		`.["\(.a)"]`:                       "in a text is not supported",
		"reduce .[] as $x (0; .)":          "is not supported",
		"foreach .[] as $x (0; .)":         "is not supported",
		"label $f | break $f":              "is not supported",
		"@base64":                          "is not supported",
		".a[1:3]":                          "slices are not supported",
		".a[range(9):]":                    "slices are not supported",
		"repeat(.)":                        "function repeat is not supported",
		"recurse(.)":                       "recurse with an argument is not supported",
		"until(false; .)":                  "function until is not supported",
		"env.HOME":                         "function env is not supported",
		"$ENV.HOME":                        "function $ENV is not supported",
		"input":                            "function input is not supported",
		`import "a" as a; .`:               "modules are not supported",
		`include "a"; .`:                   "modules are not supported",
		"halt":                             "function halt is not supported",
		"now":                              "function now is not supported",
		"map(.a)":                          "function map is not supported",
		". as [$a] | .":                    "only a name such as $x is supported",
		". as {a: $a} | .":                 "only a name such as $x is supported",
		"select(tojson | length > 1)":      "function tojson is not supported",
		"if (def f: f; f) then . end":      "def is not supported",
		"try input":                        "function input is not supported",
		"-(input)":                         "function input is not supported",
		".[input]":                         "function input is not supported",
		".a | select([.b + .c] == 1)":      "constants only",
		strings.Repeat(".a | ", 300) + ".": "is longer than 1024 bytes",
	} {
		if _, err := CompileJQ(x); err == nil {
			t.Errorf("%s is accepted", x)
		} else if !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %s", x, err, why)
		}
	}
}
