package drift

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/manifest"
)

func listed(name, version, field string) metav1.PartialObjectMetadata {
	return metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "shop", UID: types.UID(name), ResourceVersion: version,
		Annotations: map[string]string{manifest.ApplicationNote: "argocd/shop"},
		ManagedFields: []metav1.ManagedFieldsEntry{{
			Manager: manifest.Manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: "v1",
			FieldsV1: metav1.NewFieldsV1(fmt.Sprintf(`{"f:data":{"f:%s":{}},"f:metadata":{"f:labels":{"f:slipway.dev/application":{}}}}`, field)),
		}},
	}}
}

func TestWhatNobodyHasTouchedSinceTheLastSweepIsTakenFromIt(t *testing.T) {
	gk := schema.GroupKind{Kind: "ConfigMap"}
	first := newSeen(nil, 1)
	if err := first.page(gk, "10", []metav1.PartialObjectMetadata{listed("same", "1", "a"), listed("status", "2", "a"), listed("edited", "3", "a"), listed("gone", "4", "a")}); err != nil {
		t.Fatal(err)
	}
	next := newSeen(first.kinds, 2)
	if !next.known(gk, "shop", "same", "same", "1") {
		t.Error("an object at the same resourceVersion is not known")
	}
	for _, other := range [][4]string{{"shop", "same", "same", "9"}, {"shop", "same", "made again", "1"}, {"other", "same", "same", "1"}, {"shop", "new", "new", "1"}} {
		if next.known(gk, other[0], other[1], other[2], other[3]) {
			t.Errorf("%v is known", other)
		}
	}
	bare := metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: "same", Namespace: "shop", UID: "same", ResourceVersion: "1"}}
	if err := next.page(gk, "20", []metav1.PartialObjectMetadata{bare, listed("status", "5", "a"), listed("edited", "6", "b")}); err != nil {
		t.Fatal(err)
	}
	if got, want := next.tallies()["argocd/shop"], (tally{objects: 3, untouched: 2}); got != want {
		t.Errorf("tally %+v, want %+v", got, want)
	}
	at := func(s *seen, name string) *glance {
		g, _ := s.of(manifest.ID{Kind: "ConfigMap", Namespace: "shop", Name: name})
		return g
	}
	if at(next, "same") != at(first, "same") || at(next, "status").mark != at(first, "status").mark || at(next, "status").version != "5" {
		t.Error("what was not touched is not as it was seen before")
	}
	if at(next, "edited").mark == at(first, "edited").mark || at(next, "gone") != nil {
		t.Error("an edit or a deletion is not seen")
	}
}

func TestAKindThatComesLaterIsListedAtOnce(t *testing.T) {
	a, b := schema.GroupKind{Kind: "A"}, schema.GroupKind{Kind: "B"}
	for _, c := range []struct {
		listed, wanted []schema.GroupKind
		want           bool
	}{
		{[]schema.GroupKind{a, b}, []schema.GroupKind{b}, true},
		{[]schema.GroupKind{a}, []schema.GroupKind{a, b}, false},
		{nil, []schema.GroupKind{a}, true},
		{[]schema.GroupKind{a}, nil, false},
		{nil, nil, true},
	} {
		if got := covers(c.listed, c.wanted); got != c.want {
			t.Errorf("covers(%v, %v) = %v", c.listed, c.wanted, got)
		}
	}
}
