package asl

import (
	"strings"
	"testing"
)

// evaluate is what a Pass with these Parameters makes of an input, or the name of its error.
func evaluate(t *testing.T, parameters, input string) string {
	t.Helper()
	c := simulate(t, parse(t, "m", onePass(`,"Parameters":`+parameters)), input, nil)
	if c.Error != "" {
		return c.Error
	}
	return string(c.Output)
}

func TestExpressions(t *testing.T) {
	const input = `{"a":{"b":[1,{"c":"x"}],"null":null,"ключ":1,"a-b":2,"a b":3},"n":2,"f":2.6,"s":"it's","j":"{\"q\":[1]}","big":2147483647}`
	for _, c := range []struct{ expression, want string }{
		{"$", input},
		{"$.a.b[0]", `1`},
		{"$.a.b[1].c", `"x"`},
		{"$['a']['b'][1]['c']", `"x"`},
		{"$.a.null", `null`},
		{"$.a.ключ", `1`},
		{"$.a.a-b", `2`},
		{"$.a['a b']", `3`},
		{"$.a.b[2]", nameRuntime},
		{"$.a.b.c", nameRuntime},
		{"$.a[0]", nameRuntime},
		{"$.missing", nameRuntime},
		{"$.a.null.deeper", nameRuntime},
		{"$$.Execution.Input.a.b[0]", `1`},
		{"$$.Execution.Input.missing", nameRuntime},
		{"$$.Execution.Name", `"a"`},
		{"$$.Execution.Id", `"arn:aws:states:local:000000000000:execution:m:a"`},
		{"$$.Execution.StartTime", `"2026-01-02T03:04:05.000Z"`},
		{"$$.State.EnteredTime", `"2026-01-02T03:04:05.000Z"`},
		{"$$.State.Name", `"A"`},
		{"$$.State.RetryCount", `0`},
		{"$$.StateMachine.Id", `"arn:aws:states:local:000000000000:stateMachine:m"`},
		{"$$.StateMachine.Name", `"m"`},

		{"States.Format('none')", `"none"`},
		{"States.Format('{} and {}', $.n, 'x')", `"2 and x"`},
		{"States.Format('{}{}{}', 1.50, true, null)", `"1.50truenull"`},
		{`States.Format('\{\}{}\'\\', $.s)`, `"{}it's'\\"`},
		{"States.Format('{}', States.MathAdd(1, States.MathAdd($.n, -5)))", `"-2"`},
		{"States.Format('{}', $.a)", nameIntrinsic},
		{"States.Format('{}', $.missing)", nameRuntime},
		{"States.MathAdd($.n, 1)", `3`},
		{"States.MathAdd($.f, 1)", `4`}, // rounded first
		{"States.MathAdd($.big, 1)", nameIntrinsic},
		{"States.MathAdd($.s, 1)", nameIntrinsic},
		{"States.JsonToString($.a.b)", `"[1,{\"c\":\"x\"}]"`},
		{"States.StringToJson($.j)", `{"q":[1]}`},
		{`States.StringToJson('{"a":"<&>"}')`, `{"a":"<&>"}`},
		{"States.StringToJson($.s)", nameIntrinsic},
		{"States.StringToJson($.n)", nameIntrinsic},
		{"States.StringToJson(States.JsonToString($.n))", `2`},
	} {
		field := string(mustEncode(t, c.expression))
		want := `{"v":` + c.want + `}`
		if strings.HasPrefix(c.want, "States.") {
			want = c.want
		}
		if got := evaluate(t, `{"v.$":`+field+`}`, input); canonical(t, got) != canonical(t, want) {
			t.Errorf("%s is %s, want %s", c.expression, got, want)
		}
	}
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	v, err := decode([]byte(text))
	if err != nil {
		return text
	}
	return string(mustEncode(t, v))
}

func mustEncode(t *testing.T, v any) []byte {
	t.Helper()
	data, err := encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTemplatesKeepWhatIsFixed(t *testing.T) {
	got := evaluate(t, `{"a":[1,{"b.$":"$.x","c":{"d.$":"$.x"}},"$.x"],"e":null,"f":"States.Format('x')","big":12345678901234567890}`, `{"x":{"y":1}}`)
	want := `{"a":[1,{"b":{"y":1},"c":{"d":{"y":1}}},"$.x"],"big":12345678901234567890,"e":null,"f":"States.Format('x')"}`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestExpressionsThatAreRefused(t *testing.T) {
	for _, expression := range []string{
		"", "a", "States", "States.Format", "States.Format(", "States.Format()", "States.Format('a)", "States.Format('{}')", "States.Format('a', 1)",
		"States.Format('{')", "States.Format('}')", "States.Format($.a)", "States.Format('{}',)", "States.Format('a') b", "States.MathAdd(1)",
		"States.MathAdd(1,2,3)", "States.MathAdd(1 2)", "States.JsonToString()", "States.JsonToString(a)", "States.JsonToString([])", "States.JsonToString(1",
		"States.Hash('a','SHA-1')", "$.", "$[", "$[']", "$['']", "$[-1]", "$[1:2]", "$[99999999999]", "$.a.length()", "$$", "$$.", "$$.Map.Item.Value", "$.a b",
		"States.JsonToString($..a)", strings.Repeat("States.JsonToString(", 12) + "1" + strings.Repeat(")", 12),
	} {
		if _, err := parseExpr(expression); err == nil {
			t.Errorf("%q is accepted", expression)
		}
	}
}

func TestResultPaths(t *testing.T) {
	for _, c := range []struct{ path, input, want string }{
		{`"$"`, `{"a":1}`, `"r"`},
		{`null`, `{"a":1}`, `{"a":1}`},
		{`"$.a"`, `{"a":1,"b":2}`, `{"a":"r","b":2}`},
		{`"$.new.deep['er x']"`, `{"a":1}`, `{"a":1,"new":{"deep":{"er x":"r"}}}`},
		{`"$.a.b"`, `{"a":1}`, nameResultPath},
		{`"$.a.b"`, `{"a":null}`, nameResultPath},
		{`"$.a"`, `[1]`, nameResultPath},
	} {
		c2 := simulate(t, parse(t, "m", onePass(`,"Result":"r","ResultPath":`+c.path)), c.input, nil)
		got := c2.Error
		if got == "" {
			got = string(c2.Output)
		}
		if got != c.want {
			t.Errorf("%s into %s: %s, want %s", c.path, c.input, got, c.want)
		}
	}
}

func TestNullFiltersAreEmptyObjects(t *testing.T) {
	for more, want := range map[string]string{
		`,"InputPath":null`: `{}`, `,"OutputPath":null`: `{}`, `,"InputPath":"$.a"`: `1`, `,"OutputPath":"$.a"`: `1`, ``: `{"a":1}`,
		`,"InputPath":"$$.State.Name"`: `"A"`,
	} {
		if c := simulate(t, parse(t, "m", onePass(more)), `{"a":1}`, nil); string(c.Output) != want {
			t.Errorf("%s: %s%s, want %s", more, c.Output, c.Error, want)
		}
	}
}
