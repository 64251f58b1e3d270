package deploy

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

// driver notes which Rollouts it is told to start, and refuses what it is told to.
type driver struct {
	refuses string // a name
	fails   error  // of Start
	started []record.Origin
	seen    []*unstructured.Unstructured
}

func (d *driver) Check(file string, u *unstructured.Unstructured) error {
	if u.GetName() == d.refuses {
		return fault.New(fault.Invalid, "%s: spec.strategy.blueGreen: not supported yet", file)
	}
	return nil
}

func (d *driver) Start(_ context.Context, to app.Destination, u *unstructured.Unstructured, origin record.Origin) (bool, error) {
	if to.Name != app.InCluster {
		return false, fault.New(fault.Internal, "start in %+v", to)
	}
	d.started, d.seen = append(d.started, origin), append(d.seen, u)
	return d.fails == nil, d.fails
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
