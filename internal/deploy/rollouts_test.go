package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
	inject "slipway/test/fault"
)

// driver notes which Rollouts it is told to start and to reject, and refuses what it is told to.
type driver struct {
	refuses string // a name
	fails   error  // of Start and Reject
	begins  func() // in every Start

	mu       sync.Mutex
	started  []record.Origin
	seen     []*unstructured.Unstructured
	rejected []string // images
}

func (d *driver) Check(file string, u *unstructured.Unstructured) error {
	if u.GetName() == d.refuses {
		return fault.New(fault.Invalid, "%s: spec.strategy.blueGreen: not supported yet", file)
	}
	return nil
}

func (d *driver) Start(_ context.Context, to app.Destination, u *unstructured.Unstructured, origin record.Origin) (bool, error) {
	if d.begins != nil {
		d.begins()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if to.Name != app.InCluster {
		return false, fault.New(fault.Internal, "start in %+v", to)
	}
	d.started, d.seen = append(d.started, origin), append(d.seen, u)
	return d.fails == nil, d.fails
}

func (d *driver) Reject(_ context.Context, to app.Destination, u *unstructured.Unstructured) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if to.Name != app.InCluster {
		return fault.New(fault.Internal, "reject in %+v", to)
	}
	d.rejected = append(d.rejected, imageOf(u))
	if d.fails != nil {
		return d.fails
	}
	return fault.New(fault.Invalid, "%s is rejected", imageOf(u))
}

func imageOf(u *unstructured.Unstructured) string {
	containers, _, _ := unstructured.NestedSlice(u.Object, "spec", "template", "spec", "containers")
	for _, c := range containers {
		if c, ok := c.(map[string]any); ok {
			return fmt.Sprint(c["image"])
		}
	}
	return ""
}

func newDriven(t *testing.T) (*world, *driver) {
	t.Helper()
	w, d := newWorld(t), &driver{}
	w.deploy.Rollouts = d
	return w, d
}

func rolloutText(name, image, labels string) string {
	return "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: " + name + ", labels: {" + labels + "}}\n" +
		"spec: {template: {spec: {containers: [{name: a, image: " + image + "}]}}}\n"
}

func rolloutID(name string) manifest.ID {
	return manifest.ID{Group: "argoproj.io", Kind: "Rollout", Namespace: "production", Name: name}
}

func TestARolloutIsLabelledAsOursAndStartedWithItsCommit(t *testing.T) {
	w, d := newDriven(t)
	files := map[string]string{"a.yaml": rolloutText("web", "web:1", "team: shop"), "b.yaml": configMap("more", "k: v")}
	commit := w.push(files)
	w.mustSync()
	u := w.server.Live(rolloutID("web"))
	if l := u.GetLabels(); l["argo-rollouts.argoproj.io/controller-instance-id"] != "slipway" || l["team"] != "shop" {
		t.Errorf("labels %v", l)
	}
	if diff := cmp.Diff([]record.Origin{{Application: "argocd/shop", Commit: string(commit)}}, d.started); diff != "" {
		t.Fatal(diff)
	}
	if got := d.seen[0]; got.GetUID() == "" || got.GetResourceVersion() != u.GetResourceVersion() {
		t.Error("it was not told of the Rollout as it is in the cluster")
	}
	files["b.yaml"] = configMap("more", "k: w")
	w.push(files)
	w.mustSync()
	if len(d.started) != 1 {
		t.Error("a Rollout that has not changed was started again")
	}
}

func TestARolloutOfAnotherControllerIsAppliedAndLeftToIt(t *testing.T) {
	w, d := newDriven(t)
	d.refuses = "web"
	w.push(map[string]string{"a.yaml": rolloutText("web", "web:1", "argo-rollouts.argoproj.io/controller-instance-id: theirs")})
	w.mustSync()
	if l := w.server.Live(rolloutID("web")).GetLabels(); l["argo-rollouts.argoproj.io/controller-instance-id"] != "theirs" || len(d.started) > 0 {
		t.Errorf("labels %v, %d started", l, len(d.started))
	}
	if notes := w.record().History[0].Notes; !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "instance theirs") }) {
		t.Errorf("notes %q", notes)
	}
}

func TestWhatCannotBeDrivenStopsTheSyncBeforeItsFirstWrite(t *testing.T) {
	template := "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: bad}\n"
	for name, c := range map[string]struct{ text, want string }{
		"a Rollout":  {rolloutText("bad", "web:1", ""), "a.yaml: spec.strategy.blueGreen: not supported yet"},
		"a template": {template, "a.yaml: spec.strategy.blueGreen: not supported yet"},
	} {
		t.Run(name, func(t *testing.T) {
			w, d := newDriven(t)
			d.refuses = "bad"
			w.push(map[string]string{"a.yaml": c.text, "b.yaml": configMap("more", "k: v")})
			err := w.sync()
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) || w.server.Live(cm("more")) != nil || len(d.started) > 0 {
				t.Errorf("%v; %d started", err, len(d.started))
			}
		})
	}
}

// One push is told all that is wrong with it, also what another check has found, and before it waits for a kind to come.
func TestAllThatIsRefusedIsNamedAtOnce(t *testing.T) {
	w, d := newDriven(t)
	d.refuses = "bad"
	w.server.Serve("Later", false)
	w.push(map[string]string{
		"a.yaml": rolloutText("bad", "web:1", ""), "b.yaml": "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisRun\nmetadata: {name: run}\n",
		"c.yaml": "apiVersion: example.com/v1\nkind: Later\nmetadata: {name: x}\n",
	})
	err := w.sync()
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "a.yaml: spec.strategy.blueGreen") || !strings.Contains(err.Error(), "b.yaml: AnalysisRun.argoproj.io") {
		t.Error(err)
	}
}

func TestWithoutWhatDrivesThemRolloutsAreRefused(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": rolloutText("web", "web:1", "")})
	if err := w.sync(); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "a.yaml: Rollout.argoproj.io production/web: nothing here drives rollouts") {
		t.Error(err)
	}
}

// The sync has done its part; a rollout that is rejected, or cannot be started now, is told of.
func TestARolloutThatIsNotStartedIsANoteOfTheSync(t *testing.T) {
	for _, c := range []struct {
		fails error
		want  string
	}{
		{fault.New(fault.Invalid, "revision abc was rolled back"), "revision abc was rolled back"},
		{fault.New(fault.Unavailable, "no engine today"), "it is started with the next look at its cluster: no engine today"},
	} {
		w, d := newDriven(t)
		d.fails = c.fails
		w.push(map[string]string{"a.yaml": rolloutText("web", "web:1", "")})
		w.mustSync()
		if run := w.record().History[0]; run.Outcome != record.Applied || len(run.Notes) != 1 || !strings.Contains(run.Notes[0], c.want) {
			t.Errorf("%s: %q", run.Outcome, run.Notes)
		}
	}
}

func TestARolloutIsStartedWhateverBecomesOfTheRest(t *testing.T) {
	w, d := newDriven(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v")})
	w.mustSync()
	w.server.Around(func(op string, call func() error) error {
		if op == "delete" {
			return fault.New(fault.Unavailable, "no answer")
		}
		return call()
	})
	commit := w.push(map[string]string{"b.yaml": rolloutText("web", "web:1", "")})
	if err := w.sync(); !fault.Is(err, fault.Unavailable) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]record.Origin{{Application: "argocd/shop", Commit: string(commit)}}, d.started); diff != "" {
		t.Error(diff)
	}
}

func TestARunThatHasLostItsFenceStartsNothing(t *testing.T) {
	w, d := newDriven(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v")})
	w.mustSync()
	w.server.Once("delete", func() {
		if _, err := w.stores.Records.Update(t.Context(), w.app.Key(), func(r *record.Record) error { r.Lock.Fence++; return nil }); err != nil {
			t.Error(err)
		}
	})
	w.push(map[string]string{"b.yaml": rolloutText("web", "web:1", "")})
	if err := w.sync(); err == nil || w.server.Live(rolloutID("web")) == nil || len(d.started) > 0 {
		t.Errorf("%v, %d started", err, len(d.started))
	}
}

func TestRolloutsAreStartedSideBySide(t *testing.T) {
	w, d := newDriven(t)
	var now, most atomic.Int32
	met, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	d.begins = func() {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n > 1 {
			stop()
		}
		<-met.Done()
	}
	files := map[string]string{}
	for i := range 5 * parallel {
		files[fmt.Sprint(i, ".yaml")] = rolloutText(fmt.Sprint("web-", i), "web:1", "")
	}
	w.push(files)
	w.mustSync()
	if most := most.Load(); most < 2 || most > parallel || len(d.started) != len(files) {
		t.Errorf("%d at once, %d of %d started", most, len(d.started), len(files))
	}
}

// The tick would start it too, but knows of no commit; and of what is to be rejected it knows nothing.
func TestARolloutIsStartedThoughItsSyncWasBrokenAtAnyCall(t *testing.T) {
	make := func(t *testing.T) (*world, *driver) {
		w, d := newDriven(t)
		for _, image := range []string{"web:0", "web:1"} { // the first apply carries a fence, and its mark is no other's
			w.push(map[string]string{"a.yaml": configMap("a", "k: v"), "b.yaml": configMap("b", "k: v"), "web.yaml": rolloutText("web", image, "")})
			w.mustSync()
		}
		d.seen = nil
		w.push(map[string]string{"a.yaml": configMap("a", "k: w"), "web.yaml": rolloutText("web", "web:2", "")})
		return w, d
	}
	w, d := make(t)
	whole, counter := w.broken(0, inject.Before)
	whole.Rollouts = d
	if err := whole.Sync(t.Context(), w.app.Key(), false); err != nil {
		t.Fatal(err)
	}
	calls := counter.Calls()
	for _, mode := range inject.Modes {
		for k := range calls {
			w, d := make(t)
			broken, _ := w.broken(k+1, mode)
			broken.Rollouts = d
			err := broken.Sync(t.Context(), w.app.Key(), false)
			w.server.Around(nil)
			w.finish(t)
			if len(d.seen) == 0 || imageOf(d.seen[len(d.seen)-1]) != "web:2" {
				t.Errorf("%s at call %d, %s: %v, and %d starts", mode, k+1, calls[k], err, len(d.seen))
			}
		}
	}
	t.Logf("%d calls", len(calls))
}
