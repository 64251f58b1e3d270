package drift

import (
	"testing"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/test/fetched"
	"slipway/test/server"
)

// beside is another application in the same namespace and cluster; it heals and prunes.
func (w *world) beside(name string) *world {
	o := *w
	o.app = fetched.Application(name, w.app.Destination.Namespace)
	o.selfHeal()
	return &o
}

// Whoever may edit an annotation need not be allowed to delete. With the other application at work, or unsynced, its
// inventory does not tell whose the object is.
func TestAnEditedAnnotationHasNobodyPruneWhatIsAnothers(t *testing.T) {
	for name, newer := range map[string]bool{"its application is calm": false, "something newer is wanted there": true} {
		t.Run(name, func(t *testing.T) {
			w, s := newMemory(t)
			w.sync(configMap("a", "k: git"))
			other := w.beside("other")
			other.sync(configMap("c", "k: git"))
			if newer {
				w.push(configMap("a", "k: v2"))
			}
			uid := s.Live(cm("a")).GetUID()
			for range 3 {
				s.Edit(cm("a"), "person", func(o map[string]any) {
					put(o, steps{"metadata", "annotations", manifest.ApplicationNote}, string(other.app.Key()))
				})
				w.sweep()
			}
			if u := s.Live(cm("a")); u == nil || u.GetUID() != uid {
				t.Error("it was deleted")
			}
			if f := other.known().Findings; len(f) > 0 {
				t.Errorf("the other application finds %v", lines(f))
			}
		})
	}
}

// The declaration changes before anything is fetched for it.
func TestNothingIsMissingInTheClusterThatAnApplicationMovesTo(t *testing.T) {
	w, _ := newMemory(t)
	w.sync(configMap("a", "k: git"))
	w.declare(func(a *app.Application) { a.Destination.Name = "elsewhere" })
	elsewhere := server.New()
	w.cluster, w.sweeper = elsewhere, elsewhere
	rep := w.sweep()
	if writes := elsewhere.Take(); len(writes) > 0 || len(rep.Findings) > 0 || rep.Skipped != 1 {
		t.Errorf("wrote %v, found %v, skipped %d", writes, found(rep), rep.Skipped)
	}
}
