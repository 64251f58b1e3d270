//go:build cluster

package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// kills is how often the process is killed; each time the whole state is looked at.
const kills = 10

var three = []string{"orders", "stock", "billing"}

// generation writes generation n of three applications: each object's content names it, one ConfigMap comes with each
// generation and the one before goes.
func generation(w *world, n int) {
	for i, s := range three {
		w.Remove(s)
		v := fmt.Sprint(n)
		w.Write(map[string]string{
			s + "/settings.yaml": configMap(s+"-settings", "generation", v),
			s + "/more.yaml":     configMap(s+"-more", "generation", v) + "---\n" + secret(s+"-secret", "generation", v),
			s + "/web.yaml":      deployment(s, 1+i, "web:1", "GENERATION", v) + "---\n" + service(s),
			s + "/new.yaml":      configMap(s+"-new-"+v, "generation", v),
		})
	}
}

func expected(s string, n int) []string {
	want := []string{
		"ConfigMap " + s + "-settings", "ConfigMap " + s + "-more", fmt.Sprintf("ConfigMap %s-new-%d", s, n),
		"Secret " + s + "-secret", "Deployment " + s, "Service " + s,
	}
	slices.Sort(want)
	return want
}

// A push, and kill -9 of the process at any moment from its beginning until everything was applied.
func TestAProcessKilledAtAnyMomentOfAPushConvergesAfterItsRestart(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any number
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // moments of time
	w := given(t)
	for _, s := range three {
		w.declare(s)
	}
	bystander := seenBefore(w)
	generation(w, 0)
	begin := time.Now()
	w.applied(w.Push("Generation 0"), three...)
	whole := time.Since(begin)
	keep := uids(w)
	for n := 1; n <= kills; n++ {
		generation(w, n)
		sha := w.Commit(fmt.Sprint("Generation ", n))
		pushed := make(chan error, 1)
		go func() { pushed <- w.TryPush() }()
		moment := time.Duration(random.Int64N(int64(whole)))
		<-time.After(moment) // the random moment itself, not a wait for something
		w.Kill()
		err := <-pushed
		w.Again()
		if err != nil { // the host died under the push; who sees that pushes again
			if err := w.TryPush(); err != nil {
				t.Fatal(err)
			}
		}
		again := time.Now()
		w.applied(sha, three...)
		t.Logf("killed %s after the beginning of a push: converged %s after the restart", moment.Round(time.Millisecond), time.Since(again).Round(time.Millisecond))
		for _, s := range three {
			if d := cmp.Diff(expected(s, n), w.labelled(w.app(s))); d != "" {
				t.Fatalf("killed %s after the beginning of a push: %s: -want +got:\n%s", moment, s, d)
			}
			if got := w.data(s + "-settings")["generation"]; got != fmt.Sprint(n) {
				t.Fatalf("killed after %s: %s is of generation %s, want %d", moment, s, got, n)
			}
		}
		if d := cmp.Diff(keep, uids(w)); d != "" {
			t.Fatalf("killed after %s: what stayed in git was deleted and made anew:\n%s", moment, d)
		}
	}
	if d := cmp.Diff(bystander, w.get(configMaps, "bystander").GetResourceVersion()); d != "" {
		t.Errorf("an object of nobody was written:\n%s", d)
	}
}

// seenBefore makes an object that no application knows.
func seenBefore(w *world) string {
	w.t.Helper()
	u := object(w.t, configMap("bystander", "a", "b"))
	made, err := w.kube.Resource(configMaps).Namespace(w.ns).Create(w.t.Context(), u, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return made.GetResourceVersion()
}

// uids are those of the objects that every generation has.
func uids(w *world) map[string]types.UID {
	w.t.Helper()
	out := map[string]types.UID{}
	for _, s := range three {
		for _, name := range []string{s + "-settings", s + "-more"} {
			out[name] = w.get(configMaps, name).GetUID()
		}
		out["secret "+s] = w.get(secrets, s+"-secret").GetUID()
		out["deployment "+s] = w.get(deployments, s).GetUID()
		out["service "+s] = w.get(services, s).GetUID()
	}
	return out
}

// With the state folder gone everything is found again in git and in the cluster, and touched once at most: the fence
// annotation of a takeover.
func TestWithoutItsStateFolderEverythingIsRebuiltFromGitAndTheCluster(t *testing.T) {
	t.Parallel()
	w := given(t)
	for _, s := range three {
		w.declare(s)
	}
	generation(w, 0)
	sha := w.Push("Generation 0")
	w.applied(sha, three...)
	var before []string
	for i, s := range three {
		before = append(before, settledPods(w, s, 1+i)...)
	}
	changes := follow(w)
	w.Stop()
	removeState(w)
	w.Again()
	w.applied(sha, three...)
	var after []string
	for i, s := range three {
		after = append(after, settledPods(w, s, 1+i)...)
		if d := cmp.Diff(expected(s, 0), w.labelled(w.app(s))); d != "" {
			t.Errorf("%s: -want +got:\n%s", s, d)
		}
	}
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("pods were restarted:\n%s", d)
	}
	counts := changes()
	for _, s := range three {
		for _, o := range expected(s, 0) {
			if counts[o] != 1 {
				t.Errorf("%s was written %d times, want once", o, counts[o])
			}
		}
	}
	generation(w, 1)
	w.applied(w.Push("Generation 1"), three...)
	for _, s := range three {
		if d := cmp.Diff(expected(s, 1), w.labelled(w.app(s))); d != "" {
			t.Errorf("%s after the next push: -want +got:\n%s", s, d)
		}
	}
}
