package drive

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Pods come within a moment, mostly: the machine need not wait for them, and a rollout takes little more than its pauses.
func TestATaskLooksOnForPodsThatAreAboutToCome(t *testing.T) {
	took, paths := map[time.Duration]time.Duration{}, map[time.Duration]string{}
	for _, patience := range []time.Duration{0, Patience} {
		synctest.Test(t, func(t *testing.T) {
			s := begun(t, steps("[{setWeight: 20}, {pause: {duration: 2}}, {setWeight: 60}, {pause: {duration: 2}}]"))
			s.Patience = patience
			s.every.Store(int64(50 * time.Millisecond))
			begin := time.Now()
			s.commit("web:2")
			s.until("promoted", func() bool { return s.status().StableRS == s.status().CurrentPodHash })
			took[patience], paths[patience] = time.Since(begin), s.path(s.record().Execution)
			s.safe()
		})
	}
	waits := func(path string) int { return strings.Count(path, "WaitReady") + strings.Count(path, "WaitVerify") }
	if waits(paths[Patience]) > waits(paths[0])/2 || took[Patience] >= took[0] {
		t.Errorf("%s: %s\n%s: %s", took[0], paths[0], took[Patience], paths[Patience])
	}
}
