package statetest

import (
	"testing"

	"slipway/internal/state"
)

func TestTheContractHoldsInMemory(t *testing.T) {
	Run(t, func(*testing.T) Engine {
		s := Memory()
		return Engine{
			Stores: s,
			Reopen: func(*testing.T) state.Stores { return s },
			Damage: func(t *testing.T, digest string) {
				m, ok := s.Blobs.(memoryBlobs)
				if !ok {
					t.Fatalf("blobs are %T", s.Blobs)
				}
				m.blobs[digest][0]++
			},
		}
	})
}
