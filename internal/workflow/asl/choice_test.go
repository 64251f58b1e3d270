package asl

import (
	"fmt"
	"testing"
)

func TestEveryComparison(t *testing.T) {
	const input = `{"n":5,"s":"b","b":true,"t":"2026-01-02T03:04:05Z","null":null,"o":{},"five":5.0,"bee":"b","then":"2026-01-02T04:04:05+01:00"}`
	yes, no := true, false
	for rule, want := range map[string]bool{
		`"Variable":"$.b","BooleanEquals":true`:                       yes,
		`"Variable":"$.b","BooleanEquals":false`:                      no,
		`"Variable":"$.s","BooleanEquals":true`:                       no,
		`"Variable":"$.b","BooleanEqualsPath":"$.b"`:                  yes,
		`"Variable":"$.b","BooleanEqualsPath":"$.s"`:                  no,
		`"Variable":"$.n","NumericEquals":5`:                          yes,
		`"Variable":"$.n","NumericEquals":5.0`:                        yes,
		`"Variable":"$.n","NumericEquals":6`:                          no,
		`"Variable":"$.s","NumericEquals":5`:                          no,
		`"Variable":"$.n","NumericEqualsPath":"$.five"`:               yes,
		`"Variable":"$.n","NumericEqualsPath":"$.s"`:                  no,
		`"Variable":"$.s","StringEquals":"b"`:                         yes,
		`"Variable":"$.n","StringEquals":"5"`:                         no,
		`"Variable":"$.s","StringEqualsPath":"$.bee"`:                 yes,
		`"Variable":"$.s","StringEqualsPath":"$.t"`:                   no,
		`"Variable":"$.t","TimestampEqualsPath":"$.then"`:             yes,
		`"Variable":"$.s","TimestampLessThan":"2026-01-02T03:04:06Z"`: no,
		`"Variable":"$.null","IsNull":true`:                           yes,
		`"Variable":"$.n","IsNull":true`:                              no,
		`"Variable":"$.n","IsNull":false`:                             yes,
		`"Variable":"$.missing","IsPresent":true`:                     no,
		`"Variable":"$.missing","IsPresent":false`:                    yes,
		`"Variable":"$.null","IsPresent":true`:                        yes,
		`"Variable":"$.n","IsNumeric":true`:                           yes,
		`"Variable":"$.s","IsNumeric":true`:                           no,
		`"Variable":"$.s","IsString":true`:                            yes,
		`"Variable":"$.o","IsString":true`:                            no,
		`"Variable":"$.b","IsBoolean":true`:                           yes,
		`"Variable":"$.o","IsBoolean":false`:                          yes,
		`"Variable":"$.t","IsTimestamp":true`:                         yes,
		`"Variable":"$.s","IsTimestamp":true`:                         no,
		`"Variable":"$$.State.Name","StringEquals":"A"`:               yes,

		`"And":[{"Variable":"$.n","NumericEquals":5},{"Variable":"$.s","StringEquals":"b"}]`: yes,
		`"And":[{"Variable":"$.n","NumericEquals":5},{"Variable":"$.s","StringEquals":"x"}]`: no,
		`"And":[{"Variable":"$.x","IsPresent":true},{"Variable":"$.x","NumericEquals":1}]`:   no, // the second is not asked
		`"Or":[{"Variable":"$.n","NumericEquals":1},{"Variable":"$.s","StringEquals":"b"}]`:  yes,
		`"Or":[{"Variable":"$.n","NumericEquals":1},{"Variable":"$.s","StringEquals":"x"}]`:  no,
		`"Or":[{"Variable":"$.n","NumericEquals":5},{"Variable":"$.x","NumericEquals":1}]`:   yes,
		`"Not":{"Variable":"$.n","NumericEquals":1}`:                                         yes,
		`"Not":{"Or":[{"And":[{"Variable":"$.b","BooleanEquals":true}]}]}`:                   no,
	} {
		if got := choose(t, rule, input); got != fmt.Sprint(want) {
			t.Errorf("%s is %s, want %t", rule, got, want)
		}
	}
}

func TestEveryOrder(t *testing.T) {
	for kind, values := range map[string][3]string{
		"Numeric":   {`1`, `2.5`, `30`},
		"String":    {`"A"`, `"a"`, `"aa"`},
		"Timestamp": {`"2026-01-01T00:00:00Z"`, `"2026-01-01T01:30:00+01:00"`, `"2026-01-01T00:30:00.001Z"`},
	} {
		for order, want := range map[string][3]bool{ // with a smaller, an equal and a larger value than its operand
			"Equals": {false, true, false}, "LessThan": {true, false, false}, "LessThanEquals": {true, true, false},
			"GreaterThan": {false, false, true}, "GreaterThanEquals": {false, true, true},
		} {
			for i, value := range values {
				input := fmt.Sprintf(`{"v":%s,"w":%s}`, value, values[1])
				for _, rule := range []string{
					fmt.Sprintf(`"Variable":"$.v","%s%s":%s`, kind, order, values[1]),
					fmt.Sprintf(`"Variable":"$.v","%s%sPath":"$.w"`, kind, order),
				} {
					if got := choose(t, rule, input); got != fmt.Sprint(want[i]) {
						t.Errorf("%s of %s is %s, want %t", rule, value, got, want[i])
					}
				}
			}
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`a`, "a", true}, {`a`, "ab", false}, {`a`, "", false}, {``, "", true},
		{`*`, "", true}, {`*`, "anything", true}, {`a*`, "a", true}, {`a*`, "ba", false}, {`*a`, "ba", true}, {`*a`, "ab", false},
		{`log-*.txt`, "log-1.txt", true}, {`log-*.txt`, "log-.txt", true}, {`log-*.txt`, "log-1.txt.gz", false},
		{`a*b*c`, "a-b-b-c", true}, {`a*b*c`, "a-c-b", false}, {`ab*ba`, "aba", false}, {`**`, "x", true},
		{`a\*b`, "a*b", true}, {`a\*b`, "axb", false}, {`a\\*`, `a\x`, true}, {`*.`, "a.b.", true},
	} {
		if got := matches(c.text, c.pattern); got != c.want {
			t.Errorf("%q matches %q: %t", c.pattern, c.text, got)
		}
	}
	if matches(1, "*") {
		t.Error("a number matches")
	}
}

func TestAVariableThatIsNotThereIsAnError(t *testing.T) {
	for _, rule := range []string{
		`"Variable":"$.x","NumericEquals":1`, `"Variable":"$.x","IsNull":true`, `"Variable":"$.n","NumericEqualsPath":"$.x"`,
		`"Not":{"Variable":"$.x","StringMatches":"*"}`, `"Variable":"$.n.deeper","IsString":true`, `"Variable":"$[0]","IsString":true`,
	} {
		if got := choose(t, rule, `{"n":1}`); got != nameRuntime {
			t.Errorf("%s is %s, want %s", rule, got, nameRuntime)
		}
	}
}

// choose is whether a rule holds: true, false, or the name of the error.
func choose(t *testing.T, rule, input string) string {
	t.Helper()
	m := parse(t, "m", `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{`+rule+`,"Next":"Y"}],"Default":"N"},"Y":{"Type":"Succeed"},"N":{"Type":"Succeed"}}}`)
	c := simulate(t, m, input, nil)
	if c.Error != "" {
		return c.Error
	}
	return fmt.Sprint(c.state.name == "Y")
}
