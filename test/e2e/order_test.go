//go:build cluster

package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"slipway/internal/app"
	"slipway/internal/local"
	"slipway/internal/record"
	"slipway/test/e2e/up"
)

// branch is one repository with one application of its own: a ConfigMap that counts the commits. A watch sees each
// count that the cluster ever had, which the record cannot embellish.
type branch struct {
	*up.Repo
	w      *world
	t      *testing.T
	name   app.Name
	object string
	all    []string // commit ids, in the order of their counts
	seen   func() []int
}

// branches declares one application for each name, all in one push.
func branches(w *world, names ...string) {
	w.t.Helper()
	for _, n := range names {
		w.declare(n, w.URL(), "https://github.com/myorg/"+n, "path: "+n, "path: deploy")
	}
	w.Push("Declare")
	for _, n := range names {
		w.Awaits(w.app(n), up.Seen, "declared", there)
	}
}

// branch makes the repository with its first commit, applied.
func (w *world) branch(t *testing.T, name string) *branch {
	t.Helper()
	w = w.on(t)
	b := &branch{Repo: w.Process.Repo("myorg/" + name), w: w, t: t, name: w.app(name), object: name}
	b.seen = b.follow()
	b.count()
	if err := b.TryPush(); err != nil {
		t.Fatal(err)
	}
	b.w.Applied(b.name, b.all[0])
	return b
}

// count commits the next count, without pushing it.
func (b *branch) count() string {
	b.t.Helper()
	n := len(b.all)
	b.Write(map[string]string{"deploy/count.yaml": configMap(b.object, "count", strconv.Itoa(n))})
	b.all = append(b.all, b.Commit(fmt.Sprint("Count ", n)))
	return b.all[n]
}

// follow keeps every count that the ConfigMap has had.
func (b *branch) follow() func() []int {
	b.t.Helper()
	list, err := b.w.kube.Resource(configMaps).Namespace(b.w.ns).List(b.t.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	in, err := b.w.kube.Resource(configMaps).Namespace(b.w.ns).Watch(b.t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + b.object, ResourceVersion: list.GetResourceVersion()})
	if err != nil {
		b.t.Fatal(err)
	}
	var mu sync.Mutex
	var counts []int
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range in.ResultChan() {
			u, ok := e.Object.(*unstructured.Unstructured)
			if !ok {
				continue
			}
			text, _, _ := unstructured.NestedString(u.Object, "data", "count")
			n, err := strconv.Atoi(text)
			if err != nil {
				n = -1
			}
			mu.Lock()
			if len(counts) == 0 || counts[len(counts)-1] != n {
				counts = append(counts, n)
			}
			mu.Unlock()
		}
	}()
	b.t.Cleanup(func() { in.Stop(); <-done })
	return func() []int {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(counts)
	}
}

// endsAt waits until the cluster is at commit n of all, and holds that no older commit was ever applied after a newer
// one unless its run is marked forced: by the record's history against the commit graph, and by what the cluster had.
func (b *branch) endsAt(n int) local.Application {
	b.t.Helper()
	a := b.w.Applied(b.name, b.all[n])
	up.Until(b.t, up.Seen, fmt.Sprint("count ", n), func() (struct{}, bool, string) {
		s := b.seen()
		return struct{}{}, len(s) > 0 && s[len(s)-1] == n, fmt.Sprint(s)
	})
	b.monotonic(a)
	return a
}

// history holds an application's runs against the commit graph, and answers with the counts of those marked forced.
func (b *branch) history(a local.Application) map[int]bool {
	b.t.Helper()
	forced := map[int]bool{}
	before := ""
	for _, run := range slices.Backward(a.Record.History) {
		if run.Outcome != record.Applied {
			continue
		}
		for _, rev := range run.Revs {
			now := string(rev)
			if before != "" && now != before && b.IsAncestor(now, before) && !run.Forced {
				b.t.Errorf("%s: %s was applied after %s, which is newer, and is not marked forced", b.name, now, before)
			}
			if run.Forced {
				forced[slices.Index(b.all, now)] = true
			}
			before = now
		}
	}
	return forced
}

func (b *branch) monotonic(a local.Application) {
	b.t.Helper()
	forced := b.history(a)
	counts := b.seen()
	for i := 1; i < len(counts); i++ {
		if counts[i] < counts[i-1] && !forced[counts[i]] {
			b.t.Errorf("%s: the cluster went back from %d to %d: %v", b.name, counts[i-1], counts[i], counts)
		}
	}
}

func TestTheClusterEndsAtTheTipWhateverBecomesOfDeliveries(t *testing.T) {
	t.Parallel()
	w := given(t) // its sweep is 5 min away: nothing here is brought by it
	branches(w, "swapped", "twice", "fifty", "late", "revert", "back", "stale")
	subtest := func(name string, do func(t *testing.T)) {
		t.Run(name, func(t *testing.T) { t.Parallel(); do(t) })
	}
	subtest("two pushes 50 ms apart", func(t *testing.T) {
		b := w.branch(t, "fifty")
		b.count()
		first := b.TryPush()
		<-time.After(50 * time.Millisecond) // the distance itself
		b.count()
		if err := b.TryPush(); first != nil || err != nil {
			t.Fatal(first, err)
		}
		b.endsAt(2)
	})
	subtest("deliveries swapped", func(t *testing.T) {
		b := w.branch(t, "swapped")
		one, two := b.count(), b.count()
		b.PushUnannounced()
		b.deliver(two)
		b.deliver(one)
		b.endsAt(2)
	})
	subtest("a delivery twice, and once more when all is done", func(t *testing.T) {
		b := w.branch(t, "twice")
		one := b.count()
		b.PushUnannounced()
		d := b.deliver(one)
		b.post(d)
		a := b.endsAt(1)
		b.post(d)
		b.deliver(b.all[0]) // another id, an old commit
		b.count()
		b.PushUnannounced()
		b.deliver(b.all[2])
		if after := b.endsAt(2); len(after.Record.History) != len(a.Record.History)+1 {
			t.Errorf("%d runs, want one more than %d", len(after.Record.History), len(a.Record.History))
		}
	})
	subtest("the oldest of five delivered last", func(t *testing.T) {
		b := w.branch(t, "late")
		for range 5 {
			b.count()
		}
		b.PushUnannounced()
		for i := 5; i >= 1; i-- {
			b.deliver(b.all[i])
		}
		b.endsAt(5)
	})
	subtest("a push and its revert while a sync runs", func(t *testing.T) {
		b := w.branch(t, "revert")
		b.many("0")
		b.w.Applied(b.name, b.Push("Many objects"))
		b.many("1")
		b.count()
		if err := b.TryPush(); err != nil {
			t.Fatal(err)
		}
		b.w.Awaits(b.name, up.Seen, "running", func(a local.Application) bool { return a.Record.Lock.Owner != "" })
		b.Git("revert", "--no-edit", "HEAD")
		if err := b.TryPush(); err != nil {
			t.Fatal(err)
		}
		b.history(b.w.Applied(b.name, b.Head()))
		up.Until(t, up.Seen, "the content before the push", func() (struct{}, bool, string) {
			s := b.seen()
			return struct{}{}, s[len(s)-1] == 0, fmt.Sprint(s)
		})
	})
	subtest("a force-push back, once it has stayed for a minute", func(t *testing.T) {
		b := w.branch(t, "back")
		b.count()
		b.count()
		if err := b.TryPush(); err != nil {
			t.Fatal(err)
		}
		b.endsAt(2)
		b.Git("reset", "-q", "--hard", b.all[1])
		begin := time.Now()
		if err := b.TryPush("--force"); err != nil {
			t.Fatal(err)
		}
		a := b.w.Awaits(b.name, 2*time.Minute, "set back", func(a local.Application) bool {
			return a.Status == "Synced" && up.Wants(a, b.all[1])
		})
		if took := time.Since(begin); took < 60*time.Second {
			t.Errorf("set back after %s: a stale read of the host would do that, too", took)
		}
		if !a.Last.Forced {
			t.Error("the run that went back is not marked forced")
		}
		b.endsAt(1)
	})
	subtest("a stale force-push that is put right again", func(t *testing.T) {
		b := w.branch(t, "stale")
		b.count()
		if err := b.TryPush(); err != nil {
			t.Fatal(err)
		}
		b.endsAt(1)
		b.Git("reset", "-q", "--hard", b.all[0])
		if err := b.TryPush("--force"); err != nil {
			t.Fatal(err)
		}
		b.w.Awaits(b.name, up.Seen, "suspect", func(a local.Application) bool { return len(a.Record.Wanted.Suspect) == 1 })
		b.Git("reset", "-q", "--hard", b.all[1])
		b.count()
		if err := b.TryPush(); err != nil {
			t.Fatal(err)
		}
		// The suspect's second look holds the branch's queue for a minute, and the push waits behind it.
		b.w.Awaits(b.name, 2*time.Minute, "applied", func(a local.Application) bool { return a.Status == "Synced" && up.Wants(a, b.all[2]) })
		b.endsAt(2)
		if s := b.seen(); !slices.Equal(s, []int{0, 1, 2}) {
			t.Errorf("the cluster has had %v", s)
		}
	})
}

func TestALostDeliveryIsBroughtByTheSweep(t *testing.T) {
	t.Parallel()
	w := given(t, func(o *up.Options) { o.Sweep = time.Second })
	branches(w, "lost")
	b := w.branch(t, "lost")
	b.count()
	b.PushUnannounced()
	b.endsAt(1)
	b.count()
	b.count()
	b.PushUnannounced()
	b.deliver(b.all[2]) // one of two arrives
	b.endsAt(3)
}
