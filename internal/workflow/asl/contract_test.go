package asl

import (
	"testing"
	"testing/synctest"

	"slipway/internal/state/statetest"
	"slipway/internal/workflow"
	"slipway/internal/workflow/workflowtest"
)

func TestTheInterpreterKeepsTheContract(t *testing.T) {
	workflowtest.Run(t, workflowtest.Options{
		New: func(t *testing.T, machines map[string]string, functions map[string]workflow.Function) workflow.Engine {
			o := Options{Functions: functions}
			for name, definition := range machines {
				o.Machines = append(o.Machines, parse(t, name, definition))
			}
			return open(t, statetest.MemoryHistories(), o)
		},
		Case: synctest.Test,
	})
}

func parse(t *testing.T, name, definition string) *Machine {
	t.Helper()
	m, err := Parse(name, []byte(definition), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// open opens an engine that is closed with the test.
func open(t *testing.T, s Store, o Options) *Engine {
	t.Helper()
	e, err := Open(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}
