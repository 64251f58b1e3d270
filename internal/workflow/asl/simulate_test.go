package asl

import (
	"encoding/json"
	"testing"
	"time"

	"slipway/internal/workflow"
)

// simulate runs an execution to its end without an engine: time passes at once, and each function returns what result
// says; nil: what it is given. It stops after 500 events.
func simulate(t *testing.T, m *Machine, input string, result func(json.RawMessage) (json.RawMessage, *Failure)) *cursor {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := &cursor{machine: m, speed: 1, Execution: workflow.Execution{Machine: m.name, Name: "a"}}
	apply := func(batch []entry) {
		for _, e := range batch {
			e.ID, e.Time = c.events+1, now
			data, err := encode(e) // as it comes back from the store
			if err != nil {
				t.Fatal(err)
			}
			var stored entry
			if err := json.Unmarshal(data, &stored); err != nil {
				t.Fatal(err)
			}
			if err := c.apply(stored); err != nil {
				t.Fatal(err)
			}
		}
	}
	apply([]entry{{Event: workflow.Event{Type: "ExecutionStarted", Data: json.RawMessage(input)}},
		{Event: workflow.Event{Type: m.first.kind + "StateEntered", State: m.first.name, Data: json.RawMessage(input)}}})
	for c.Status == workflow.Running && c.events < 500 {
		batch, wake := c.next(now, now)
		switch {
		case len(batch) > 0:
		case c.at == started && result == nil:
			batch = c.returned(c.call, nil)
		case c.at == started:
			batch = c.returned(result(c.call))
		default:
			now = wake
			continue
		}
		apply(batch)
	}
	return c
}
