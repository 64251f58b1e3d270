package statetest

import (
	"testing"

	"slipway/internal/state"
)

func TestTheContractOfHistoriesHoldsInMemory(t *testing.T) {
	RunHistories(t, func(*testing.T) (state.Histories, func(*testing.T) state.Histories) {
		h := MemoryHistories()
		return h, func(*testing.T) state.Histories { return h }
	})
}
