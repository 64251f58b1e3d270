package asl

import (
	"strings"
	"testing"
)

// An expression gives JSON or a failure with a name.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{"$", "$.a.b[0]['c d']", "$$.Execution.Input.x", "States.Format('{} \\{\\}', $.a)", "States.MathAdd(States.StringToJson('1'),-2)", "States.JsonToString($['a'])"} {
		f.Add(s, `{"a":{"b":[{"c d":1}]},"x":2}`)
	}
	f.Fuzz(func(t *testing.T, text, input string) {
		e, err := parseExpr(text)
		if err != nil {
			return
		}
		v, err := decode([]byte(input))
		if err != nil {
			return
		}
		got, err := e(&scope{input: v, context: map[string]any{"Execution": map[string]any{"Input": v}}})
		if err != nil {
			if f := asFailure(err); !strings.HasPrefix(f.Name, "States.") {
				t.Errorf("%q: %v has no name", text, err)
			}
			return
		}
		if _, err := encode(got); err != nil {
			t.Errorf("%q is %v, which is no JSON: %v", text, got, err)
		}
	})
}
