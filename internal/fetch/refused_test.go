package fetch

import (
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/revision"
)

// What test/sim found (seed 93): a branch was set back to a commit without manifests for one application. Each delivery
// that waited in the branch's queue made it suspect anew, held the queue for a minute, and was refused again, so the
// next push to all other applications of the branch waited as many minutes as there were deliveries.
func TestARefusedForcePushIsLookedAtForAMinuteOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, name, a := start(t)
		was := w.push("shop/app.yaml: 2")
		w.mustMove(hint(was))
		beside := w.commit(a, "shop/broken: yes")
		w.set("main", beside)
		if after := w.busy(hint(beside)); after != revision.Stale {
			t.Fatalf("the first look comes back after %s", after)
		}
		time.Sleep(revision.Stale)
		w.mustMove(hint(beside))
		clear(w.host.calls)
		w.mustMove(hint(beside)) // a delivery that waited
		w.mustMove(bare)
		w.wantRev(name, was)
		if r := w.record(name).Refused; r.Rev != beside {
			t.Errorf("refusal %+v", r)
		}
		if n := w.host.calls["archive"]; n != 0 {
			t.Errorf("what was refused was fetched %d times again", n)
		}
		mended := w.commit(beside, "shop/broken: ", "shop/app.yaml: 3")
		w.set("main", mended)
		w.busy(hint(mended))
		time.Sleep(revision.Stale)
		w.mustMove(hint(mended))
		w.wantRev(name, mended)
		if r := w.record(name).Refused; r.Reason != "" {
			t.Errorf("still refused: %+v", r)
		}
	})
}
