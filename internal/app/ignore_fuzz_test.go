package app_test

import (
	"context"
	"testing"
	"time"

	. "slipway/internal/app"
	"slipway/internal/fault"
)

// Whatever a pointer or an expression is: it is refused by its path, or it comes to an end and selects.
func FuzzIgnoreDifferences(f *testing.F) {
	for _, s := range [][2]string{
		{"/spec/replicas", ".spec.replicas"}, {"/a~1b", `.a["b"] | select(.c == "d")`}, {"a~", ".."}, {"/~2", ".[] | .[]? // empty"},
		{"/", "# nothing"}, {"/", "first(..)"}, {"", `any(..; . == 1)`}, {"/-/0", `.l[-1], (.a as $x | $x)`},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pointer, expression string) {
		a, _, err := DecodeObject("f.yaml", nil, with(minimal(), "spec.ignoreDifferences", list{object{"kind": "*", "jsonPointers": list{pointer}, "jqPathExpressions": list{expression}}}))
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if d := a.IgnoreDifferences[0]; d.JSONPointers[0] != pointer || d.JQPathExpressions[0] != expression {
			t.Fatalf("%+v", d)
		}
		code, err := CompileJQ(expression)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		paths := code.RunWithContext(ctx, map[string]any{"a": map[string]any{"b": 1}, "l": []any{1, "x", nil, map[string]any{"name": "n"}}})
		for range 1000 {
			v, more := paths.Next()
			if _, failed := v.(error); !more || failed {
				break
			}
			if _, is := v.([]any); !is {
				t.Fatalf("%s selects %T", expression, v)
			}
		}
	})
}
