package drive

import (
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/record"
)

// A rollback that failed because stable serves nothing is not tried again at each tick: that took a fence each time.
func TestRule15TheTickLeavesARollbackAloneThatCanOnlyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.commit("web:2")
		s.paused()
		s.breaks("web:1")
		time.Sleep(2 * time.Second)
		x := s.record().Execution
		s.must(s.Abort(t.Context(), web, "no"))
		s.until("given up", func() bool { return s.ends(x) != "RUNNING" })
		time.Sleep(time.Minute)
		before := s.record()
		if before.Stage != record.Aborting || s.weight() != 20 {
			t.Fatalf("it is %s: %s", before.Stage, s)
		}
		for range 3 {
			s.tick()
			time.Sleep(time.Minute)
		}
		if after := s.record(); after.Fence != before.Fence {
			t.Errorf("it took the record: fence %d, before %d", after.Fence, before.Fence)
		}
		s.mend()
		time.Sleep(5 * time.Second)
		s.safe()
		if s.record().Stage != record.Aborted {
			t.Errorf("it is %s", s.record().Stage)
		}
	})
}
