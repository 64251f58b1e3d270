package asl

import (
	"encoding/json"
	"testing"

	"slipway/internal/workflow"
)

// What is accepted runs: no definition and no input makes the interpreter panic or come to rest before its end.
func FuzzDefinition(f *testing.F) {
	for _, definition := range []string{
		small, loop, onePass(`,"Parameters":{"a.$":"States.Format('{}',$.n)"}`), oneTask(`,"Retry":[{"ErrorEquals":["States.ALL"],"JitterStrategy":"FULL","MaxDelaySeconds":5}]`),
		tokenTask(`,"HeartbeatSeconds":5,"TimeoutSecondsPath":"$.n"`), oneChoice(`{"Not":{"And":[{"Variable":"$.n","NumericLessThanPath":"$.n"}]},"Next":"B"}`),
		oneState(`{"Type":"Wait","TimestampPath":"$.t","End":true}`), oneState(`{"Type":"Fail","ErrorPath":"$.s","CausePath":"States.JsonToString($)"}`),
	} {
		f.Add(definition, `{"n":3,"s":"x","t":"2026-01-02T03:04:05Z","list":[1,null]}`)
	}
	f.Fuzz(func(t *testing.T, definition, input string) {
		m, err := Parse("m", []byte(definition), nil)
		if err != nil {
			return
		}
		data, err := payload(json.RawMessage(input))
		if err != nil {
			return
		}
		calls := 0
		c := simulate(t, m, string(data), func(in json.RawMessage) (json.RawMessage, *Failure) {
			calls++
			if calls%2 == 0 {
				return nil, &Failure{Name: "E", Cause: "every second call"}
			}
			return in, nil
		})
		if c.Status == workflow.Running && c.events < 500 {
			t.Errorf("it came to rest in %s after %d events", c.state.name, c.events)
		}
		if len(c.Output) > workflow.MaxData {
			t.Errorf("an output of %d bytes", len(c.Output))
		}
	})
}
