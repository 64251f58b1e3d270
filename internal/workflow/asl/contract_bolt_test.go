package asl_test

import (
	"testing"
	"testing/synctest"

	"slipway/internal/state/bolt"
	"slipway/internal/workflow"
	"slipway/internal/workflow/asl"
	"slipway/internal/workflow/workflowtest"
)

// The same contract over the store that is used.
func TestTheInterpreterKeepsTheContractOnBolt(t *testing.T) {
	workflowtest.Run(t, workflowtest.Options{
		New: func(t *testing.T, machines map[string]string, functions map[string]workflow.Function) workflow.Engine {
			s, err := bolt.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			o := asl.Options{Functions: functions}
			for name, definition := range machines {
				m, err := asl.Parse(name, []byte(definition), nil)
				if err != nil {
					t.Fatal(err)
				}
				o.Machines = append(o.Machines, m)
			}
			e, err := asl.Open(t.Context(), s.Histories(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			return e
		},
		Case: synctest.Test,
	})
}
