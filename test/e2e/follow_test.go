//go:build cluster

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"

	"slipway/internal/manifest"
	"slipway/test/e2e/up"
)

// object is a manifest as data.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return &unstructured.Unstructured{Object: m}
}

// follow watches the test's namespace and counts, for each object with our label, the writes of ours: those after which
// our entry, or the fence annotation, is another. The function ends the watch and gives the counts by "Kind name".
func follow(w *world) func() map[string]int {
	w.t.Helper()
	var mu sync.Mutex
	counts := map[string]int{}
	var wg sync.WaitGroup
	var watches []watch.Interface
	for _, r := range []schema.GroupVersionResource{configMaps, secrets, services, deployments} {
		list, err := w.kube.Resource(r).Namespace(w.ns).List(w.t.Context(), metav1.ListOptions{LabelSelector: manifest.Label})
		if err != nil {
			w.t.Fatal(err)
		}
		last := map[string]string{}
		for i := range list.Items {
			last[list.Items[i].GetName()] = ourWrite(&list.Items[i])
		}
		in, err := w.kube.Resource(r).Namespace(w.ns).Watch(w.t.Context(), metav1.ListOptions{LabelSelector: manifest.Label, ResourceVersion: list.GetResourceVersion()})
		if err != nil {
			w.t.Fatal(err)
		}
		watches = append(watches, in)
		wg.Go(func() {
			for e := range in.ResultChan() {
				u, ok := e.Object.(*unstructured.Unstructured)
				if !ok {
					continue
				}
				if now := ourWrite(u); now != last[u.GetName()] {
					last[u.GetName()] = now
					mu.Lock()
					counts[u.GetKind()+" "+u.GetName()]++
					mu.Unlock()
				}
			}
		})
	}
	return func() map[string]int {
		for _, in := range watches {
			in.Stop()
		}
		wg.Wait()
		return counts
	}
}

// ourWrite tells two writes of ours apart: each changes the fence or the digest annotation, or the time or fields of
// our entry.
func ourWrite(u *unstructured.Unstructured) string {
	a := u.GetAnnotations()
	say := a[manifest.FenceNote] + a[manifest.DigestNote]
	for _, e := range u.GetManagedFields() {
		if e.Manager == manifest.Manager {
			say += fmt.Sprint(e.Operation, e.Time, e.FieldsV1)
		}
	}
	return say
}

// settledPods waits for a Deployment's pods to run and answers with their uids and restarts, in order.
func settledPods(w *world, name string, n int) []string {
	w.t.Helper()
	return up.Until(w.t, up.Seen, "pods of "+name, func() ([]string, bool, string) {
		list, err := w.kube.Resource(pods).Namespace(w.ns).List(w.t.Context(), metav1.ListOptions{LabelSelector: "app=" + name})
		if err != nil {
			return nil, false, err.Error()
		}
		var out []string
		for _, p := range list.Items {
			if phase, _, _ := unstructured.NestedString(p.Object, "status", "phase"); phase != "Running" {
				return nil, false, p.GetName() + " is " + phase
			}
			out = append(out, p.GetName()+" "+string(p.GetUID()))
		}
		slices.Sort(out)
		return out, len(out) == n, fmt.Sprintf("%d pods", len(out))
	})
}

func removeState(w *world) {
	w.t.Helper()
	if err := os.RemoveAll(filepath.Join(w.Process.Dir, "state")); err != nil {
		w.t.Fatal(err)
	}
}
