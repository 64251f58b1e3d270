package bolt

import (
	"testing"

	"slipway/internal/state"
	"slipway/internal/state/statetest"
)

func TestTheContractOfHistoriesHolds(t *testing.T) {
	statetest.RunHistories(t, func(t *testing.T) (state.Histories, func(*testing.T) state.Histories) {
		dir := t.TempDir()
		s := open(t, dir)
		return s.Histories(), func(t *testing.T) state.Histories {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = open(t, dir)
			return s.Histories()
		}
	})
}
