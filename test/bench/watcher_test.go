package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

func TestOnlyWhatIsRightIsASight(t *testing.T) {
	x := &target{name: "x", space: "s", edit: edit{patch: "{}", path: []string{"data", "k"}, value: "git"}}
	m := &marked{target: x}
	w := &watcher{marks: map[place]*marked{{space: "s", name: "x"}: m}}
	see := func(name, version, value string) {
		u := &unstructured.Unstructured{Object: map[string]any{"data": map[string]any{"k": value}}}
		u.SetName(name)
		u.SetNamespace("s")
		u.SetUID("u")
		u.SetResourceVersion(version)
		w.see(x.resource, u, time.Unix(1, 0))
	}
	see("x", "4", "edited")
	see("y", "5", "git")
	see("x", "6", "git")
	want := []sight{{time.Unix(1, 0), types.UID("u"), 6}}
	if diff := cmp.Diff(want, m.seen, cmp.AllowUnexported(sight{})); diff != "" || w.err != nil {
		t.Error(diff, w.err)
	}
	if see("x", "six", "git"); w.err == nil {
		t.Error("a version that is no number was passed over")
	}
}
