package drift

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/test/server"
)

// A kind that may not be listed has sweeps asked for again and again, a minute apart at last: who is new must not wait
// for the next.
func TestAnApplicationIsKnownSoonThoughSweepsPause(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		w.sync(configMap("a", "k: git") + "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n")
		s.FailKind(schema.GroupKind{Kind: "Service"}, fault.New(fault.Denied, "services is forbidden"))
		run := w.watch(WatchLimit)
		time.Sleep(25 * time.Second)
		other := w.beside("other")
		other.sync(configMap("c", "k: git"))
		time.Sleep(2 * time.Second)
		s.Edit(cm("c"), "person", set("k", "edit"))
		time.Sleep(time.Second)
		if k := data(s, "c", "k"); k != "git" {
			t.Errorf("it is %q", k)
		}
		<-run.done
		if n := s.Count("sweep"); n > 2*12 {
			t.Errorf("%d LISTs of two kinds in %s", n, WatchLimit)
		}
	})
}
