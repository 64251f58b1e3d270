package deploy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
	"slipway/internal/record"
)

// newRunning is an application whose Rollout is in the middle of a canary of web:1.
func newRunning(t *testing.T) (*world, *driver) {
	t.Helper()
	w, d := newDriven(t)
	for _, image := range []string{"web:0", "web:1"} { // the first apply carries a fence, and its mark is no other's
		w.push(map[string]string{"web.yaml": policed(image, "queue")})
		w.mustSync()
	}
	w.server.Edit(rolloutID("web"), "slipway-rollout", func(o map[string]any) {
		o["status"] = map[string]any{"phase": "Paused", "stableRS": "a", "currentPodHash": "b"}
		meta, _ := o["metadata"].(map[string]any)
		notes, _ := meta["annotations"].(map[string]any)
		notes["slipway.dev/rollout-fence"] = "7.Begin"
	})
	d.started, d.seen = nil, nil
	return w, d
}

func policed(image, policy string) string {
	return strings.Replace(rolloutText("web", image, ""), "name: web,", "name: web, annotations: {slipway.dev/supersede: "+policy+"},", 1)
}

// mark is what the next sweep compares the Rollout with.
func (w *world) mark(t *testing.T) ownership.Mark {
	t.Helper()
	all, err := w.deploy.inventory(t.Context(), w.record(), func(string, ...any) {})
	if err != nil {
		t.Fatal(err)
	}
	return all[rolloutID("web")]
}

func TestWhatACommitDoesToACanaryIsWhatItsPolicySays(t *testing.T) {
	for policy, want := range map[string]struct {
		live              string
		started, rejected []string
		note              string
	}{
		"restart": {live: "web:2", started: []string{"web:2"}},
		"queue":   {live: "web:1"},
		"reject":  {live: "web:1", rejected: []string{"web:2"}, note: "Rollout.argoproj.io production/web: web:2 is rejected"},
	} {
		t.Run(policy, func(t *testing.T) {
			w, d := newRunning(t)
			w.push(map[string]string{"web.yaml": policed("web:2", policy)})
			w.mustSync()
			live := w.server.Live(rolloutID("web"))
			if got := imageOf(live); got != want.live || live.GetAnnotations()["slipway.dev/supersede"] != policy {
				t.Errorf("live is %s, %v", got, live.GetAnnotations())
			}
			var started []string
			for _, u := range d.seen {
				started = append(started, imageOf(u))
			}
			if diff := cmp.Diff(want.started, started) + cmp.Diff(want.rejected, d.rejected); diff != "" {
				t.Error(diff)
			}
			if notes := strings.Join(w.record().History[0].Notes, "\n"); notes != want.note {
				t.Errorf("notes %q", notes)
			}
			if judged := w.mark(t) == ownership.MarkOf(manifest.MetadataOf(live)); judged != (policy == "restart") {
				t.Errorf("drift looks at it again: %t", !judged)
			}
		})
	}
}

// Drift applies the template once the canary has ended, and the tick would start it then.
func TestARejectionThatWasNotWrittenIsTriedAgain(t *testing.T) {
	w, d := newRunning(t)
	d.fails = fault.New(fault.Unavailable, "no table today")
	w.push(map[string]string{"web.yaml": policed("web:2", "reject")})
	if err := w.sync(); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "reject Rollout.argoproj.io production/web: no table today") {
		t.Fatal(err)
	}
	d.fails = nil
	w.mustSync()
	if run := w.record().History[0]; len(d.rejected) != 2 || run.Outcome != record.Applied || len(run.Notes) != 1 || len(d.seen) > 0 {
		t.Errorf("rejected %v, %s, notes %q, %d started", d.rejected, run.Outcome, run.Notes, len(d.seen))
	}
}
