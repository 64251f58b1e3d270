//go:build cluster

package deploy

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/manifest"
	"slipway/internal/record"
)

func TestALostStateIsRebuiltAndNoPodRestarted(t *testing.T) {
	r := newReal(t)
	files := map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1"), "web.yaml": deployment}
	r.push(files)
	r.mustSync()
	pods := r.At("pods")
	names := func() (out []string) {
		l, err := pods.List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range l.Items {
			out = append(out, p.GetName())
		}
		return out
	}
	r.Eventually("a pod", func() bool { return len(names()) == 1 })
	pod := names()[0]
	if err := r.stores.Records.Delete(t.Context(), r.app.Key()); err != nil {
		t.Fatal(err)
	}
	r.Take()
	delete(files, "b.yaml") // it is found again without a record
	r.push(files)
	r.mustSync()
	touched := map[string]int{}
	for _, w := range r.Take() {
		touched[w]++
	}
	if len(touched) != 3 || touched["apply ConfigMap/a"] != 1 || touched["delete ConfigMap/b"] != 1 || touched["apply Deployment/web"] < 1 {
		t.Errorf("writes: %v", touched)
	}
	if r.get("ConfigMap", "a").GetAnnotations()[manifest.FenceNote] == "" {
		t.Error("a carries no fence: a stale run could still write it")
	}
	r.Eventually("the Deployment's controller has seen the touch", func() bool { // an annotation moves a Deployment's generation
		d := r.get("Deployment.apps", "web")
		seen, _, _ := unstructured.NestedInt64(d.Object, "status", "observedGeneration")
		return seen == d.GetGeneration()
	})
	if got := names(); len(got) != 1 || got[0] != pod {
		t.Errorf("pods are %v, was %s", got, pod)
	}
	// Deleted in the foreground: the collector takes a moment.
	r.Eventually("b is gone", func() bool { return r.get("ConfigMap", "b") == nil })
}

// A run is paused before its first write, another takes over and finishes, and the first goes on: by real
// resourceVersions it changes nothing, though what is wanted now needed no write.
func TestAPausedRunChangesNothingOnARealCluster(t *testing.T) {
	v1 := map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1"), "c.yaml": configMap("c", "k: v1")}
	for name, tt := range map[string]struct {
		stale map[string]string
		at    string // the write before which it is paused
	}{
		"before an apply": {map[string]string{"a.yaml": configMap("a", "k: v2"), "b.yaml": v1["b.yaml"], "c.yaml": v1["c.yaml"]}, "apply ConfigMap/a"},
		"before a prune":  {map[string]string{"a.yaml": v1["a.yaml"], "b.yaml": v1["b.yaml"]}, "delete ConfigMap/c"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReal(t)
			r.push(v1)
			r.mustSync()
			r.push(tt.stale)
			var versions map[string]string
			paused := false
			r.Before(func(w string) {
				if w != tt.at || paused {
					return
				}
				paused = true
				r.push(v1)
				next := r.world.run()
				if _, err := r.stores.Records.Update(t.Context(), r.app.Key(), func(rec *record.Record) error { rec.Expire(); return nil }); err != nil {
					t.Error(err)
				}
				if err := next.Sync(t.Context(), r.app.Key(), false); err != nil {
					t.Error(err)
				}
				versions = r.versions("a", "b", "c")
			})
			r.returned(r.sync())
			if !paused {
				t.Fatal("it was not paused")
			}
			if got := r.versions("a", "b", "c"); fmt.Sprint(got) != fmt.Sprint(versions) {
				t.Errorf("it changed %v to %v", versions, got)
			}
			for _, n := range []string{"a", "b", "c"} {
				if r.data(n)["k"] != "v1" {
					t.Errorf("%s is %v", n, r.data(n))
				}
			}
		})
	}
}

func (r *real) versions(names ...string) map[string]string {
	out := map[string]string{}
	for _, n := range names {
		if u := r.get("ConfigMap", n); u != nil {
			out[n] = u.GetResourceVersion()
		}
	}
	return out
}

func TestTwoThousandObjectsStayWithinOneRun(t *testing.T) { // security R14; the time is a bound, not a measurement
	r := newReal(t)
	files := map[string]string{}
	for i := range manifest.MaxObjects {
		files[fmt.Sprintf("c%04d.yaml", i)] = configMap(fmt.Sprintf("c%04d", i), "k: v1")
	}
	start := time.Now()
	within := func(what string, limit time.Duration) {
		t.Helper()
		took := time.Since(start)
		t.Logf("%s took %s", what, took.Round(time.Millisecond))
		if took > limit {
			t.Errorf("%s took %s", what, took)
		}
		start = time.Now()
	}
	r.push(files)
	r.mustSync()
	within("the first sync", DefaultLease-closing-Margin)
	if n := len(r.Take()); n != len(files) {
		t.Errorf("%d writes", n)
	}
	start = time.Now()
	files["c0042.yaml"] = configMap("c0042", "k: v2")
	r.push(files)
	if d := r.diff(); len(d) != 1 {
		t.Errorf("%d differences", len(d))
	}
	within("a diff of one change", 20*time.Second)
	r.mustSync()
	within("a sync of one change", 20*time.Second)
	r.wantWrites("apply ConfigMap/c0042")
	if got := r.resources(); len(got) != len(files) || got["c0001"] != Synced {
		t.Errorf("%d resources", len(got))
	}
	within("the resources", 30*time.Second)
}
