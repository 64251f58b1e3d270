package drift

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/test/server"
)

const oneService = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"

// A kind that may not be listed has sweeps asked for again and again, a minute apart at last: who is new must not wait
// for the next.
func TestAnApplicationIsKnownSoonThoughSweepsPause(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		w.sync(configMap("a", "k: git") + oneService)
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

// A sync notes the kinds of its set before it brings their CRDs.
func TestAKindThatTheClusterIsAboutToKnowIsWatchedSoon(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		w.sync(configMap("a", "k: git") + oneService)
		s.Serve("Service", false)
		run := w.watch(WatchLimit)
		time.Sleep(5 * time.Second)
		s.Serve("Service", true)
		time.Sleep(sweepAgain + time.Second)
		web := manifest.ID{Kind: "Service", Namespace: "shop", Name: "web"}
		s.Drop(web)
		time.Sleep(time.Second)
		if s.Live(web) == nil {
			t.Error("it is not made again")
		}
		run.end(t)
	})
}

// One that is gone for good costs no more than that.
func TestAKindThatNeverComesIsSweptForRarely(t *testing.T) {
	timedWatch(t, func(t *testing.T, w *world, s *server.Server) {
		w.sync(configMap("a", "k: git") + oneService)
		s.Drop(manifest.ID{Kind: "Service", Namespace: "shop", Name: "web"})
		s.Serve("Service", false)
		s.Take()
		run := w.watch(WatchLimit)
		<-run.done
		if n := s.Count("sweep"); n > 2*6 {
			t.Errorf("%d LISTs of two kinds", n)
		}
	})
}
