package asl

import (
	"strings"
	"testing"

	"slipway/internal/fault"
)

// whole machines around one state, so that each row shows what is wrong and nothing else.
func oneState(state string) string { return `{"StartAt":"A","States":{"A":` + state + `}}` }

func oneTask(more string) string {
	return oneState(`{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{"FunctionName":"f"},"End":true` + more + `}`)
}

func tokenTask(more string) string {
	return oneState(`{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.waitForTaskToken","Parameters":{"FunctionName":"f","Payload.$":"$$.Task.Token"},"End":true` + more + `}`)
}

func onePass(more string) string { return oneState(`{"Type":"Pass","End":true` + more + `}`) }

func oneChoice(rule string) string {
	return `{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[` + rule + `]},"B":{"Type":"Succeed"}}}`
}

func TestWhatIsNotSupportedIsRefusedByItsPath(t *testing.T) {
	for name, c := range map[string]struct{ definition, want string }{
		"broken JSON":             {`{`, "definition: unexpected EOF"},
		"more after it":           {oneState(`{"Type":"Succeed"}`) + `{}`, "definition: there is more after the value"},
		"no object":               {`[]`, "definition: is not an object"},
		"a key twice":             {`{"StartAt":"A","States":{"A":{"Type":"Succeed"},"A":{"Type":"Succeed"}}}`, "definition: .States.A is there twice"},
		"nested too deep":         {onePass(`,"Result":` + strings.Repeat("[", 200) + strings.Repeat("]", 200)), "nested more than 100 deep"},
		"no start":                {`{"States":{"A":{"Type":"Succeed"}}}`, "definition.StartAt: is missing"},
		"no states":               {`{"StartAt":"A"}`, "definition.States: is missing"},
		"another start":           {`{"StartAt":"B","States":{"A":{"Type":"Succeed"}}}`, `StartAt: there is no state "B"`},
		"an empty name":           {`{"StartAt":"","States":{"A":{"Type":"Succeed"}}}`, "definition.StartAt: is empty"},
		"an empty next":           {oneState(`{"Type":"Pass","Next":""}`), "States.A.Next: is empty"},
		"another version":         {`{"Version":"2.0","StartAt":"A","States":{"A":{"Type":"Succeed"}}}`, `Version: is "2.0", not 1.0`},
		"a machine in JSONata":    {`{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Succeed"}}}`, "definition.QueryLanguage: only JSONPath is supported"},
		"an unknown top field":    {`{"Start":"A","StartAt":"A","States":{"A":{"Type":"Succeed"}}}`, "definition.Start: is not supported here"},
		"a machine's timeout":     {`{"TimeoutSeconds":0,"StartAt":"A","States":{"A":{"Type":"Succeed"}}}`, "TimeoutSeconds: is not a whole number of seconds from 1"},
		"an open substitution":    {oneTask(`,"Comment":"${Nobody}"`), "definition: ${Nobody} has no substitution"},
		"a state's long name":     {`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"` + strings.Repeat("x", 81) + `"},"` + strings.Repeat("x", 81) + `":{"Type":"Succeed"}}}`, "its name must be of 1 to 80 characters"},
		"Parallel":                {oneState(`{"Type":"Parallel","Branches":[],"End":true}`), `States.A.Type: "Parallel" is not supported: only Task, Wait, Choice, Pass, Succeed, Fail`},
		"Map":                     {oneState(`{"Type":"Map","End":true}`), `States.A.Type: "Map" is not supported`},
		"no type":                 {oneState(`{"End":true}`), "States.A.Type: is missing"},
		"a state in JSONata":      {onePass(`,"QueryLanguage":"JSONata"`), "States.A.QueryLanguage: only JSONPath is supported"},
		"Assign":                  {onePass(`,"Assign":{"x":1}`), "States.A.Assign: variables are not supported"},
		"Arguments":               {oneTask(`,"Arguments":{}`), "States.A.Arguments: JSONata is not supported"},
		"Output":                  {onePass(`,"Output":"{% 1 %}"`), "States.A.Output: JSONata is not supported"},
		"a JSONata string":        {onePass(`,"Parameters":{"a":["{% $states.input %}"]}`), "States.A.Parameters.a[0]: JSONata is not supported"},
		"Credentials":             {oneTask(`,"Credentials":{}`), "States.A.Credentials: the functions' own roles are used"},
		"an unknown field":        {onePass(`,"Nxt":"B"`), "States.A.Nxt: is not supported here"},
		"a field of another type": {onePass(`,"Seconds":1`), "States.A.Seconds: is not supported here"},
		"a fail's input":          {oneState(`{"Type":"Fail","InputPath":"$"}`), "States.A.InputPath: is not supported here"},
		"a succeed's next":        {oneState(`{"Type":"Succeed","End":true}`), "States.A.End: is not supported here"},
		"neither Next nor End":    {oneState(`{"Type":"Pass"}`), "States.A: must have one of Next and End"},
		"both Next and End":       {onePass(`,"Next":"A"`), "States.A: must have one of Next and End"},
		"End false":               {oneState(`{"Type":"Pass","End":false}`), "States.A.End: can only be true"},
		"a missing next":          {oneState(`{"Type":"Pass","Next":"B"}`), `States.A.Next: there is no state "B"`},
		"an unreachable state":    {`{"StartAt":"A","States":{"A":{"Type":"Succeed"},"B":{"Type":"Succeed"}}}`, "States.B: cannot be reached from StartAt"},
		"an island":               {`{"StartAt":"A","States":{"A":{"Type":"Succeed"},"B":{"Type":"Pass","Next":"C"},"C":{"Type":"Pass","Next":"B"}}}`, "States.C: cannot be reached from StartAt"},
		"Result and Parameters":   {onePass(`,"Result":1,"Parameters":{}`), "States.A.Result: and Parameters cannot both be there"},

		"a plain function":              {strings.Replace(oneTask(``), "arn:aws:states:::lambda:invoke", "arn:aws:lambda:eu-west-1:1:function:f", 1), "States.A.Resource: only arn:aws:states:::lambda:invoke and"},
		"another service":               {strings.Replace(oneTask(``), "lambda:invoke", "sqs:sendMessage", 1), "States.A.Resource: only"},
		"a sync call":                   {strings.Replace(oneTask(``), "lambda:invoke", "states:startExecution.sync:2", 1), "States.A.Resource: only"},
		"no parameters":                 {oneState(`{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","End":true}`), "States.A.Parameters: is missing"},
		"no function":                   {oneState(`{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Parameters":{},"End":true}`), "States.A.Parameters.FunctionName: is missing"},
		"a function by a path":          {strings.Replace(oneTask(``), `"FunctionName":"f"`, `"FunctionName.$":"$.f"`, 1), "States.A.Parameters.FunctionName.$: is not supported here"},
		"another parameter":             {strings.Replace(oneTask(``), `"FunctionName":"f"`, `"FunctionName":"f","Qualifier":"1"`, 1), "States.A.Parameters.Qualifier: is not supported here"},
		"both payloads":                 {strings.Replace(oneTask(``), `"FunctionName":"f"`, `"FunctionName":"f","Payload":{},"Payload.$":"$"`, 1), "States.A.Parameters.Payload.$: is not supported here"},
		"a timeout that is no number":   {oneTask(`,"TimeoutSeconds":"60"`), `States.A.TimeoutSeconds: "60" is not a whole number of seconds from 1`},
		"half a second":                 {oneTask(`,"TimeoutSeconds":0.5`), "States.A.TimeoutSeconds: 0.5 is not a whole number of seconds from 1"},
		"two timeouts":                  {oneTask(`,"TimeoutSeconds":1,"TimeoutSecondsPath":"$.t"`), "States.A.TimeoutSeconds: and TimeoutSecondsPath cannot both be there"},
		"a heartbeat without a token":   {oneTask(`,"HeartbeatSeconds":1`), "States.A.HeartbeatSeconds: only a task with .waitForTaskToken can be told that it is alive"},
		"a heartbeat of the timeout":    {tokenTask(`,"HeartbeatSeconds":5,"TimeoutSeconds":5`), "States.A.HeartbeatSeconds: must be less than TimeoutSeconds"},
		"a token that nobody gets":      {strings.Replace(tokenTask(``), "$$.Task.Token", "$", 1), "States.A: waits for a token that its Parameters do not hand on: $$.Task.Token"},
		"a token without a wait":        {strings.Replace(tokenTask(``), ".waitForTaskToken", "", 1), "States.A.Parameters.Payload.$: only a task with .waitForTaskToken has a token"},
		"a token of a pass":             {onePass(`,"Parameters":{"t.$":"States.Format('{}',$$.Task.Token)"}`), "States.A.Parameters.t.$: only a task with .waitForTaskToken has a token"},
		"an empty Retry":                {oneTask(`,"Retry":[]`), "States.A.Retry: is not a list with something in it"},
		"a retrier without errors":      {oneTask(`,"Retry":[{}]`), "States.A.Retry[0].ErrorEquals: is missing"},
		"a retrier's unknown field":     {oneTask(`,"Retry":[{"ErrorEquals":["E"],"Interval":1}]`), "States.A.Retry[0].Interval: is not supported here"},
		"a retrier's interval":          {oneTask(`,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":0}]`), "States.A.Retry[0].IntervalSeconds: 0 is not a whole number of seconds from 1"},
		"a retrier's attempts":          {oneTask(`,"Retry":[{"ErrorEquals":["E"],"MaxAttempts":-1}]`), "States.A.Retry[0].MaxAttempts: -1 is not a whole number from 0"},
		"a retrier's rate":              {oneTask(`,"Retry":[{"ErrorEquals":["E"],"BackoffRate":0.5}]`), "States.A.Retry[0].BackoffRate: 0.5 is not a number from 1.0"},
		"a retrier's longest":           {oneTask(`,"Retry":[{"ErrorEquals":["E"],"IntervalSeconds":3,"MaxDelaySeconds":3}]`), "States.A.Retry[0].MaxDelaySeconds: must be more than IntervalSeconds"},
		"a retrier's jitter":            {oneTask(`,"Retry":[{"ErrorEquals":["E"],"JitterStrategy":"HALF"}]`), `States.A.Retry[0].JitterStrategy: "HALF" is neither FULL nor NONE`},
		"States.ALL beside others":      {oneTask(`,"Retry":[{"ErrorEquals":["E","States.ALL"]}]`), "States.A.Retry[0].ErrorEquals: States.ALL must be alone and in the last one"},
		"States.ALL before others":      {oneTask(`,"Retry":[{"ErrorEquals":["States.ALL"]},{"ErrorEquals":["E"]}]`), "States.A.Retry[0].ErrorEquals: States.ALL must be alone and in the last one"},
		"what nothing catches":          {oneTask(`,"Catch":[{"ErrorEquals":["States.Runtime"],"Next":"A"}]`), "States.A.Catch[0].ErrorEquals[0]: States.Runtime ends the execution: nothing retries or catches it"},
		"what else nothing catches":     {oneTask(`,"Catch":[{"ErrorEquals":["States.DataLimitExceeded"],"Next":"A"}]`), "States.A.Catch[0].ErrorEquals[0]: States.DataLimitExceeded ends"},
		"a reserved name":               {oneTask(`,"Catch":[{"ErrorEquals":["States.Tired"],"Next":"A"}]`), `States.A.Catch[0].ErrorEquals[0]: "States.Tired" is not supported`},
		"a catcher without a next":      {oneTask(`,"Catch":[{"ErrorEquals":["E"]}]`), "States.A.Catch[0].Next: is missing"},
		"a catcher's missing next":      {oneTask(`,"Catch":[{"ErrorEquals":["E"],"Next":"B"}]`), `States.A.Catch[0].Next: there is no state "B"`},
		"a result into the context":     {onePass(`,"ResultPath":"$$.State.Name"`), "States.A.ResultPath: the context object cannot be written"},
		"a result into a list":          {onePass(`,"ResultPath":"$.a[0]"`), `States.A.ResultPath: path "$.a[0]": only names are supported here`},
		"a wildcard":                    {onePass(`,"InputPath":"$.a[*]"`), `States.A.InputPath: path "$.a[*]": only .name, ['name'] and [0] are supported, not "[*]"`},
		"a descent":                     {onePass(`,"InputPath":"$..a"`), `States.A.InputPath: path "$..a": only .name`},
		"a filter":                      {onePass(`,"OutputPath":"$.a[?(@.b)]"`), `States.A.OutputPath: path "$.a[?(@.b)]": only`},
		"a variable":                    {onePass(`,"Parameters":{"a.$":"$x"}`), `States.A.Parameters.a.$: path "$x": only`},
		"an unknown context field":      {onePass(`,"Parameters":{"a.$":"$$.Execution.RoleArn"}`), `States.A.Parameters.a.$: path "$$.Execution.RoleArn": the context object has only Execution.Id,`},
		"a dynamic field without one":   {onePass(`,"Parameters":{"a.$":1}`), "States.A.Parameters.a.$: is not a string with a path or an intrinsic function"},
		"a field twice":                 {onePass(`,"Parameters":{"a.$":"$","a":1}`), "States.A.Parameters.a.$: a is there as well"},
		"another intrinsic function":    {onePass(`,"Parameters":{"a.$":"States.UUID()"}`), `States.A.Parameters.a.$: expression "States.UUID()": intrinsic function "States.UUID" is not supported`},
		"a wait without an end":         {oneState(`{"Type":"Wait","End":true}`), "States.A: must have one of Seconds, SecondsPath, Timestamp and TimestampPath"},
		"a wait with two":               {oneState(`{"Type":"Wait","Seconds":1,"Timestamp":"2026-01-01T00:00:00Z","End":true}`), "States.A: must have one of Seconds"},
		"a negative wait":               {oneState(`{"Type":"Wait","Seconds":-1,"End":true}`), "States.A.Seconds: -1 is not a whole number of seconds from 0"},
		"a wait until no time":          {oneState(`{"Type":"Wait","Timestamp":"2026-01-01t00:00:00z","End":true}`), `States.A.Timestamp: "2026-01-01t00:00:00z" is no RFC 3339 time with T and Z`},
		"a choice without choices":      {oneState(`{"Type":"Choice","Choices":[]}`), "States.A.Choices: is not a list with something in it"},
		"a rule without a next":         {oneChoice(`{"Variable":"$","IsNull":true}`), "States.A.Choices[0].Next: is missing"},
		"a rule without a comparison":   {oneChoice(`{"Variable":"$","Next":"B"}`), "States.A.Choices[0]: must have one of And, Or, Not or a comparison, not 0"},
		"a rule with two comparisons":   {oneChoice(`{"Variable":"$","IsNull":true,"IsPresent":true,"Next":"B"}`), "States.A.Choices[0]: must have one of And, Or, Not or a comparison, not 2"},
		"a rule in JSONata":             {oneChoice(`{"Condition":"{% true %}","Next":"B"}`), "States.A.Choices[0].Condition: JSONata is not supported"},
		"a rule without a variable":     {oneChoice(`{"IsNull":true,"Next":"B"}`), "States.A.Choices[0].Variable: is missing"},
		"an inner rule with a next":     {oneChoice(`{"Not":{"Variable":"$","IsNull":true,"Next":"B"},"Next":"B"}`), "States.A.Choices[0].Not: must have one of And, Or, Not or a comparison, not 2"},
		"an unknown comparison":         {oneChoice(`{"Variable":"$","StringContains":"a","Next":"B"}`), "States.A.Choices[0].StringContains: is no comparison"},
		"an order of booleans":          {oneChoice(`{"Variable":"$","BooleanLessThan":true,"Next":"B"}`), "States.A.Choices[0].BooleanLessThan: is no comparison"},
		"a comparison with a wrong one": {oneChoice(`{"Variable":"$","NumericEquals":"1","Next":"B"}`), `States.A.Choices[0].NumericEquals: "1" is no numeric`},
		"a comparison with no time":     {oneChoice(`{"Variable":"$","TimestampEquals":"today","Next":"B"}`), `States.A.Choices[0].TimestampEquals: "today" is no timestamp`},
		"a pattern that is no text":     {oneChoice(`{"Variable":"$","StringMatches":1,"Next":"B"}`), "States.A.Choices[0].StringMatches: is not a string"},
		"a test with no answer":         {oneChoice(`{"Variable":"$","IsNull":"yes","Next":"B"}`), "States.A.Choices[0].IsNull: is neither true nor false"},
		"a rule deep inside":            {oneChoice(`{"And":[{"Or":[{"Not":{"Variable":"$","IsOdd":true}}]}],"Next":"B"}`), "States.A.Choices[0].And[0].Or[0].Not.IsOdd: is no comparison"},
		"a default that is missing":     {`{"StartAt":"A","States":{"A":{"Type":"Choice","Choices":[{"Variable":"$","IsNull":true,"Next":"B"}],"Default":"C"},"B":{"Type":"Succeed"}}}`, `States.A.Default: there is no state "C"`},
		"a fail with two errors":        {oneState(`{"Type":"Fail","Error":"E","ErrorPath":"$.e"}`), "States.A.Error: and ErrorPath cannot both be there"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("m", []byte(c.definition), nil)
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v\nwant Invalid with %s", err, c.want)
			}
			if lines := strings.Count(err.Error(), "\n") + 1; lines > 2 {
				t.Errorf("one fault became %d: %v", lines, err)
			}
		})
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	_, err := Parse("m", []byte(`{"StartAt":"A","Extra":1,"States":{"A":{"Type":"Pass","Next":"Gone","InputPath":"x"},"B":{"Type":"Wait","End":true}}}`), nil)
	want := `load state machine m: States.A.InputPath: path "x" does not begin with $
States.A.Next: there is no state "Gone"
States.B: cannot be reached from StartAt
States.B: must have one of Seconds, SecondsPath, Timestamp and TimestampPath
definition.Extra: is not supported here`
	if err == nil || err.Error() != want {
		t.Fatalf("got\n%v\nwant\n%s", err, want)
	}
}

func TestSubstitutionsTakeThePlaceThatSAMGivesThem(t *testing.T) {
	m, err := Parse("m", []byte(strings.ReplaceAll(oneTask(``), `"f"`, `"${Arn}:live"`)), map[string]string{"Arn": `arn:aws:lambda:eu-west-1:1:function:"f"`})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := m.first.task.function, `arn:aws:lambda:eu-west-1:1:function:"f":live`; got != want {
		t.Errorf("function is %s, want %s", got, want)
	}
}

func TestEachMachineHasAPlainName(t *testing.T) {
	for _, name := range []string{"", "a b", "a/b", strings.Repeat("x", 81)} {
		if _, err := Parse(name, []byte(oneState(`{"Type":"Succeed"}`)), nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
