package deploy

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// rewrite changes a live object as somebody does who is not us.
func (w *world) rewrite(id manifest.ID, change func(*unstructured.Unstructured)) {
	w.t.Helper()
	if w.server.Live(id) == nil {
		w.t.Fatalf("%s is not there", id)
	}
	w.server.Edit(id, "somebody", func(o map[string]any) { change(&unstructured.Unstructured{Object: o}) })
}

func unlabel(u *unstructured.Unstructured) { u.SetLabels(nil) }

func TestAnObjectWhoseLabelSomebodyRemovedIsFoundAgain(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.rewrite(cm("a"), unlabel)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	w.mustSync()
	u := w.server.Live(cm("a"))
	if value(u, "k") != "v2" || u.GetLabels()[manifest.Label] == "" {
		t.Errorf("a is %v with labels %v", value(u, "k"), u.GetLabels())
	}
}

func TestAnObjectOfAnotherApplicationIsNotTakenEvenWithItsLabelRemoved(t *testing.T) { // security P5
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.rewrite(cm("a"), unlabel)
	other := w.app
	other.Name = "other"
	w.declare(other)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	err := w.sync()
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "belongs to application argocd/shop") {
		t.Errorf("the error is %v", err)
	}
	w.wantValues(map[string]string{"a": "v1"})
}

func TestAnObjectIsHandedOverByRemovingItsAnnotation(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.rewrite(cm("a"), func(u *unstructured.Unstructured) { u.SetAnnotations(nil) })
	other := w.app
	other.Name = "other"
	w.declare(other)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	w.mustSync()
	w.wantValues(map[string]string{"a": "v2"})
}

// A pruned object with a finalizer, or with dependents, stays for a while. An apply onto it succeeds and is lost.
func TestAnObjectThatIsBeingDeletedIsWaitedFor(t *testing.T) {
	ways := map[string]func(*world){
		"ours, of equal digest": func(w *world) { w.server.Terminate(cm("a")) },
		"with its label removed": func(w *world) {
			w.rewrite(cm("a"), unlabel)
			w.server.Terminate(cm("a"))
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
			w.mustSync()
			way(w)
			w.server.Take()
			w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
			err := w.sync()
			if after, ok := fault.After(err); !fault.Is(err, fault.Unavailable) || !ok || after != deletionWait {
				t.Fatalf("the error is %v", err)
			}
			if len(w.server.Writes()) != 0 {
				t.Errorf("there were writes: %v", w.server.Writes())
			}
			w.server.Drop(cm("a"))
			w.mustSync()
			w.wantValues(map[string]string{"a": "v1", "b": "v1"})
		})
	}
}

func TestAnObjectDeletedBetweenLookAndWriteIsMadeAgain(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	if err := w.interrupt("apply", false, func() { w.server.Drop(cm("a")) }); err != nil {
		t.Fatal(err)
	}
	w.wantValues(map[string]string{"a": "v2"})
}

func TestAnExtraObjectThatIsBeingDeletedIsNotDeletedAgainButNoted(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	w.server.Terminate(cm("b"))
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	if n := w.server.Count("delete"); n != 0 {
		t.Errorf("%d deletes", n)
	}
	if h := w.record().History[0]; len(h.Notes) != 1 || !strings.Contains(h.Notes[0], "still being deleted") {
		t.Errorf("the notes are %q", h.Notes)
	}
}

func TestACopiedAnnotationDoesNotMakeAnObjectAnothersOwn(t *testing.T) { // a Deployment's annotations go to its ReplicaSets
	w := newWorld(t)
	copied := configMapObject("a", "k", "v0")
	copied.SetAnnotations(map[string]string{manifest.ApplicationNote: "argocd/other"})
	w.server.Create("somebody", copied)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.wantValues(map[string]string{"a": "v1"})
}
