package deploy

import (
	"context"
	"strings"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

func TestASyncAppliesWhatIsWantedAndRecordsIt(t *testing.T) {
	w := newWorld(t)
	sha := w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	if got := value(w.server.Live(cm("a")), "k"); got != "v1" {
		t.Errorf("a has k = %q, want v1", got)
	}
	r := w.record()
	if r.Done.Seq != r.Wanted.Seq || r.Done.Revs["github.com/myorg/k8s-config@main"] != sha {
		t.Errorf("done is %+v, want seq %d at %s", r.Done, r.Wanted.Seq, sha)
	}
	if r.Lock.Owner != "" || !r.Lock.Clean {
		t.Errorf("the lock is left as %+v", r.Lock)
	}
	if h := r.History[0]; h.Outcome != record.Applied || h.Applied != 2 || h.Revs["github.com/myorg/k8s-config@main"] != sha {
		t.Errorf("the history says %+v", h)
	}
}

func TestNothingUnchangedIsSent(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	w.server.Take()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	if got := len(w.server.Writes()); got != 1 || w.server.Writes()[0].ID != cm("a") {
		t.Errorf("the writes were %v, want one of ConfigMap a", w.server.Writes())
	}
	if n := w.server.Count("try"); n != 1 {
		t.Errorf("%d dry runs, want 1", n)
	}
}

func TestASecondWakeUpDoesNothing(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.server.Take()
	w.mustSync()
	if len(w.server.Requests()) != 0 {
		t.Errorf("the cluster was asked %v", w.server.Requests())
	}
}

func TestWhatLeavesGitIsPruned(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	if w.server.Live(cm("b")) != nil {
		t.Error("b is still there")
	}
	if h := w.record().History[0]; h.Pruned != 1 || h.Unchanged != 1 {
		t.Errorf("the history says %+v", h)
	}
}

func TestWhatLeavesGitStaysWherePruneIsOff(t *testing.T) {
	w := newWorld(t)
	w.app.Sync.Prune = false
	w.declare(w.app)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	if w.server.Live(cm("b")) == nil {
		t.Error("b is gone")
	}
	if h := w.record().History[0]; len(h.Notes) != 1 || !strings.Contains(h.Notes[0], "b is no longer in git and stays") {
		t.Errorf("the notes are %q", h.Notes)
	}
}

func TestAnObjectThatTheServerRefusesStopsTheRunBeforeItsFirstWrite(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.server.Refuse(cm("b"), fault.New(fault.Invalid, "apply ConfigMap production/b: data: too long"))
	err := w.sync()
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "apps/shop/b.yaml: apply ConfigMap production/b: data: too long") {
		t.Errorf("the error is %v", err)
	}
	if len(w.server.Writes()) != 0 {
		t.Errorf("there were writes: %v", w.server.Writes())
	}
	r := w.record()
	if r.History[0].Outcome != record.RefusedRun || r.GivenUp != r.Wanted.Seq || r.Pending() {
		t.Errorf("the record says %+v, given up %d", r.History[0], r.GivenUp)
	}
}

func TestNothingRenderedIsAnErrorAndPrunesNothing(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": "# empty\n"})
	if err := w.sync(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "nothing was rendered") {
		t.Errorf("the error is %v", err)
	}
	if w.server.Live(cm("a")) == nil {
		t.Error("a was pruned")
	}
}

func TestALargePruneNeedsConsent(t *testing.T) {
	w := newWorld(t)
	files := map[string]string{}
	for _, n := range strings.Split("abcdefghijklmnop", "") {
		files[n+".yaml"] = configMap("c"+n, "k: v1") // a plain n would be a YAML boolean
	}
	w.push(files)
	w.mustSync()
	w.push(map[string]string{"a.yaml": files["a.yaml"]})
	if err := w.sync(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "15 of 16 objects") {
		t.Fatalf("the error is %v", err)
	}
	if w.server.Live(cm("cp")) == nil {
		t.Fatal("p was pruned without consent")
	}
	w.app.Annotations = map[string]string{manifest.AllowPruneNote: "true"}
	w.declare(w.app)
	w.push(map[string]string{"a.yaml": files["a.yaml"]})
	w.mustSync()
	if w.server.Live(cm("cp")) != nil {
		t.Error("p is still there")
	}
}

func TestAnApplicationWithoutAutomatedSyncWaitsForAPerson(t *testing.T) {
	w := newWorld(t)
	w.app.Sync = app.SyncPolicy{}
	w.declare(w.app)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	if len(w.server.Requests()) != 0 {
		t.Fatalf("the cluster was asked %v", w.server.Requests())
	}
	_, err := w.stores.Records.Update(t.Context(), w.app.Key(), func(r *record.Record) error { r.Request(); return nil })
	if err != nil {
		t.Fatal(err)
	}
	w.mustSync()
	if w.server.Live(cm("a")) == nil {
		t.Error("a is missing after a person asked")
	}
}

func TestAnObjectOfAnotherApplicationIsNotTaken(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	other := w.app
	other.Name = "other"
	w.declare(other)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	err := w.sync()
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "belongs to application argocd/shop") {
		t.Errorf("the error is %v", err)
	}
	if got := value(w.server.Live(cm("a")), "k"); got != "v1" {
		t.Errorf("a has k = %q, want v1", got)
	}
}

func TestARunStopsInOrderBeforeItsTimeEndsAndTheNextGoesOn(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "s.yaml": "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  clusterIP: None\n"})
	ctx, cancel := context.WithTimeout(t.Context(), Margin-time.Second)
	defer cancel()
	err := w.deploy.Sync(ctx, w.app.Key(), false)
	if !fault.Is(err, fault.Unfinished) {
		t.Fatalf("the error is %v", err)
	}
	if len(w.queue.woken) != 1 {
		t.Errorf("woken are %v, want one", w.queue.woken)
	}
	before := w.server.Live(cm("a")).GetResourceVersion()
	w.mustSync()
	if got := w.server.Live(cm("a")).GetResourceVersion(); got != before {
		t.Error("a was touched again: the next run started anew")
	}
	if r := w.record(); r.Done.Seq != r.Wanted.Seq || r.History[1].Outcome != record.Paused {
		t.Errorf("the record says %+v", r.History)
	}
}
