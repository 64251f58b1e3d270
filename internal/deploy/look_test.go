package deploy

import (
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
)

const headless = "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  clusterIP: None\n"

func TestAKindFoundAfterTheRecordWasLostIsLookedForFromThenOn(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "s.yaml": headless})
	w.mustSync()
	if err := w.stores.Records.Delete(t.Context(), w.app.Key()); err != nil {
		t.Fatal(err)
	}
	w.app.Sync.Prune = false
	w.declare(w.app)
	w.push(map[string]string{"s.yaml": headless}) // a stays for now
	w.mustSync()
	if got := w.record().Kinds; !slices.Equal(got, []string{"ConfigMap", "Service"}) {
		t.Errorf("the record knows kinds %v", got)
	}
	w.app.Sync.Prune = true
	w.declare(w.app)
	w.push(map[string]string{"s.yaml": headless})
	w.mustSync()
	if w.server.Live(cm("a")) != nil {
		t.Error("a is orphaned")
	}
}

func TestAKindIsWrittenDownBeforeItsFirstObjectIsMade(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "s.yaml": headless})
	_ = w.interrupt("apply", false, func() {
		if got := w.record().Kinds; !slices.Contains(got, "Service") {
			t.Errorf("a Service is made and the record knows kinds %v", got)
		}
	})
	if w.server.Live(manifest.ID{Kind: "Service", Namespace: "production", Name: "s"}) == nil {
		t.Error("it was not made")
	}
}

func TestNoKindIsListedTwiceAndAllAreUntilOneIsKnown(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "apps.yaml": declared("one")})
	want := &desired{items: []item{{id: cm("a")}, {id: cm("b")}, {id: manifest.ID{Kind: "Service", Name: "s"}}}}
	rec := w.record()
	if got := kindsToList(rec, want); got != nil {
		t.Errorf("before anything is known: %v, want every kind", got)
	}
	rec.Kinds = []string{registered}
	if got := kindsToList(rec, &desired{}); got == nil || len(got) != 0 {
		t.Errorf("of Applications alone: %v, want no kind", got)
	}
	rec.Kinds = []string{registered, "ConfigMap", "Deployment.apps"}
	if got := kindsToList(rec, want); len(got) != 3 || got[1].Group != "apps" || got[2].Kind != "Service" {
		t.Errorf("got %v", got)
	}
}

// Two applications whose labels are equal select each other's objects; the annotation tells them apart (security P5).
func TestAnObjectThatNamesAnotherApplicationIsNotPruned(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1"), "c.yaml": configMap("c", "k: v1")})
	w.mustSync()
	w.rewrite(cm("b"), func(u *unstructured.Unstructured) {
		u.SetAnnotations(map[string]string{manifest.ApplicationNote: "argocd/other"})
	})
	w.server.Create("controller", w.server.Live(cm("c"))) // a copy: nothing in it is ours
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	if w.server.Live(cm("b")) == nil || w.server.Live(cm("c")) == nil {
		t.Errorf("the writes were %v", w.server.Writes())
	}
}
