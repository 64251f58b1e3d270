package drive

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/record"
)

// A canary whose pods never get ready is looked at each minute, for as long as nobody does anything about it.
func TestAnExecutionHandsOverBeforeItsHistoryIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.breaks("web:2")
		s.commit("web:2")
		first := s.record()
		s.every.Store(int64(time.Minute))
		for range 48 {
			time.Sleep(time.Hour)
			if s.record().Execution != first.Execution {
				break
			}
		}
		synctest.Wait()
		next := s.record()
		history, err := s.engine.Load().History(t.Context(), Machine, first.Execution)
		s.must(err)
		if n := len(history); n < 1000 || n > 20_000 || s.ends(first.Execution) != "SUCCEEDED" || !strings.HasSuffix(s.path(first.Execution), " HandOver HandedOver") {
			t.Fatalf("%s after %d events", s.ends(first.Execution), n)
		}
		if next.Fence <= first.Fence || next.Revision != first.Revision || next.Stage != record.Running {
			t.Errorf("%+v", next)
		}
		s.every.Store(int64(time.Second))
		s.mend()
		time.Sleep(2 * time.Minute)
		s.goOn()
		if s.record().Stage != record.Healthy {
			t.Errorf("%s", s)
		}
		s.safe()
	})
}
