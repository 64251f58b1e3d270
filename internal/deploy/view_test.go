package deploy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

func (w *world) diff() map[string]Difference {
	w.t.Helper()
	all, err := w.deploy.Diff(w.t.Context(), w.app.Key())
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]Difference{}
	for _, d := range all {
		out[d.ID.Name] = d
	}
	return out
}

func (w *world) resources() map[string]string {
	w.t.Helper()
	all, err := w.deploy.Resources(w.t.Context(), w.app.Key())
	if err != nil {
		w.t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range all {
		out[r.ID.Name] = strings.TrimSpace(r.Sync + " " + r.Health)
	}
	return out
}

// viewed has one object of each state: same, changed, edited by somebody, missing, extra, kept, being deleted, foreign,
// another application's.
func viewed(t *testing.T) *world {
	w := newWorld(t)
	other := w.app
	other.Name = "other"
	shop := w.app
	w.declare(other)
	w.push(map[string]string{"taken.yaml": configMap("taken", "k: v1")})
	w.mustSync()
	w.declare(shop)
	keep := strings.Replace(configMap("kept", "k: v1"), "  name: kept\n", "  name: kept\n  annotations: {argocd.argoproj.io/sync-options: Prune=false}\n", 1)
	w.push(map[string]string{"same.yaml": configMap("same", "k: v1"), "changed.yaml": configMap("changed", "k: v1", "gone: x"), "edited.yaml": configMap("edited", "k: v1"),
		"extra.yaml": configMap("extra", "k: v1"), "kept.yaml": keep, "leaving.yaml": configMap("leaving", "k: v1")})
	w.mustSync()
	w.rewrite(cm("edited"), func(u *unstructured.Unstructured) { u.Object["data"] = map[string]any{"k": "by hand"} })
	w.server.Terminate(cm("leaving"))
	w.server.Create("somebody", configMapObject("foreign", "k", "not for everybody"))
	w.push(map[string]string{"same.yaml": configMap("same", "k: v1"), "changed.yaml": configMap("changed", "k: v2", "new: z"), "edited.yaml": configMap("edited", "k: v1"),
		"missing.yaml": configMap("missing", "k: v1"), "foreign.yaml": configMap("foreign", "k: v1"), "taken.yaml": configMap("taken", "k: v2")})
	w.server.Take()
	return w
}

func TestADiffSaysOfEachObjectWhatASyncWouldDo(t *testing.T) {
	w := viewed(t)
	got := map[string]string{}
	for name, d := range w.diff() {
		got[name] = d.Action
	}
	want := map[string]string{"changed": Modify, "edited": Modify, "missing": Create, "extra": Prune, "kept": Stay, "leaving": Stay, "foreign": Adopt, "taken": Refuse}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(w.server.Writes()) != 0 {
		t.Errorf("it wrote %v", w.server.Writes())
	}
	wantChanges := []manifest.Change{{Path: ".data.gone", Old: "x"}, {Path: ".data.k", Old: "v1", New: "v2"}, {Path: ".data.new", New: "z"}}
	if d := cmp.Diff(wantChanges, w.diff()["changed"].Changes); d != "" {
		t.Error(d)
	}
}

func TestADiffShowsNothingOfWhatIsNotOurs(t *testing.T) { // security X3, CVE-2026-42880
	b, err := json.Marshal(viewed(t).diff())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "not for everybody") {
		t.Errorf("the diff is %s", b)
	}
}

func TestADiffMasksSecretsOnBothSides(t *testing.T) {
	w := newWorld(t)
	secret := func(v string) map[string]string {
		return map[string]string{"s.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  password: " + v + "\n  same: unchanged-value\n"}
	}
	w.push(secret("first-value"))
	w.mustSync()
	w.push(secret("second-value"))
	d := w.diff()["s"]
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"first-value", "second-value", "unchanged-value", "Zmlyc3Q", "c2Vjb25k"} {
		if strings.Contains(string(b), v) {
			t.Errorf("the diff shows %s: %s", v, b)
		}
	}
	if len(d.Changes) != 1 || d.Changes[0].Path != ".data.password" {
		t.Errorf("the changes are %+v", d.Changes)
	}
}

func TestADiffNamesWhatWouldBeRefused(t *testing.T) {
	w := viewed(t)
	w.server.Refuse(cm("changed"), fault.New(fault.Invalid, "field is immutable"))
	if d := w.diff()["changed"]; d.Action != Refuse || d.Reason != "field is immutable" || d.File != "apps/shop/changed.yaml" {
		t.Errorf("the difference is %+v", d)
	}
}

func TestResourcesSayHowEachObjectStands(t *testing.T) {
	w := viewed(t)
	want := map[string]string{"same": "Synced", "changed": "OutOfSync", "edited": "OutOfSync", "missing": "Missing", "foreign": "Missing", "taken": "Missing",
		"extra": "Extra", "kept": "Extra", "leaving": "Extra"}
	if d := cmp.Diff(want, w.resources()); d != "" {
		t.Error(d)
	}
}

func TestResourcesTellHealth(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"d.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  replicas: 1\n", "a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	id := manifest.ID{Group: "apps", Kind: "Deployment", Namespace: "production", Name: "d"}
	if got := w.resources(); got["d"] != "Synced Progressing" || got["a"] != "Synced" {
		t.Errorf("the resources are %v", got)
	}
	w.server.Terminate(id)
	if got := w.resources(); got["d"] != "Synced Progressing" {
		t.Errorf("the resources are %v", got)
	}
}

func TestViewsOfAnApplicationWithoutACommitAreNotFound(t *testing.T) {
	w := newWorld(t)
	if _, err := w.deploy.Resources(t.Context(), w.app.Key()); !fault.Is(err, fault.NotFound) {
		t.Errorf("resources: %v", err)
	}
	if _, err := w.deploy.Diff(t.Context(), w.app.Key()); !fault.Is(err, fault.NotFound) {
		t.Errorf("diff: %v", err)
	}
}

func TestViewsOfALargeApplicationAskSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		files := map[string]string{}
		for i := range 400 {
			files[fmt.Sprint(i, ".yaml")] = configMap(fmt.Sprint("c", i), "k: v1")
		}
		w.push(files)
		w.mustSync()
		w.slow(map[string]time.Duration{"get": 100 * time.Millisecond, "try": 100 * time.Millisecond})
		start := time.Now()
		w.resources()
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("resources took %s", took)
		}
		for n := range files {
			files[n] = strings.Replace(files[n], "v1", "v2", 1)
		}
		w.push(files)
		start = time.Now()
		if n := len(w.diff()); n != 400 {
			t.Errorf("%d differences", n)
		}
		if took := time.Since(start); took > 12*time.Second {
			t.Errorf("a diff took %s", took)
		}
	})
}
