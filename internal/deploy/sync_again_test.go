package deploy

import (
	"context"
	"strings"
	"testing"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/test/server"
)

func (w *world) request() {
	w.t.Helper()
	if _, err := w.stores.Records.Update(w.t.Context(), w.app.Key(), func(r *record.Record) error { r.Request(); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

func TestAPersonCanHaveWhatIsDoneAppliedAgain(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.server.Drop(cm("a"))
	w.mustSync()
	if w.server.Live(cm("a")) != nil {
		t.Fatal("a wake-up that nobody asked for applied it again")
	}
	w.request()
	if r := w.record(); !r.Pending() {
		t.Fatal("the request may be lost with its message")
	}
	w.mustSync()
	w.wantValues(map[string]string{"a": "v1"})
	if r := w.record(); r.Pending() || r.Requested != 0 || r.History[0].LatencyMS != 0 {
		t.Errorf("the record says %+v", r)
	}
}

func TestADeadLetterThatIsDrivenBackIsApplied(t *testing.T) { // faults 42
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.server.Refuse(cm("a"), fault.New(fault.Denied, "no permission"))
	if err := w.deploy.Sync(t.Context(), w.app.Key(), true); !fault.Is(err, fault.Denied) {
		t.Fatalf("the last try ends with %v", err)
	}
	if r := w.record(); r.Pending() || r.GivenUp != r.Wanted.Seq {
		t.Fatal("the sweep would make another dead letter")
	}
	w.server.Refuse(cm("a"), nil)
	w.mustSync()
	w.wantValues(map[string]string{"a": "v1"})
}

func TestHowALastTryEnds(t *testing.T) {
	for _, tt := range []struct {
		kind    fault.Kind
		want    fault.Kind
		givenUp bool
	}{
		{fault.Unavailable, fault.Unfinished, false}, // faults 66: no flood of dead letters
		{fault.NotFound, fault.Unfinished, false},    // a namespace or a kind may come without a new commit
		{fault.Denied, fault.Denied, true},
		{fault.Internal, fault.Internal, true},
		{fault.Invalid, fault.Invalid, true},
	} {
		t.Run(tt.kind.String(), func(t *testing.T) {
			w := newWorld(t)
			w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
			w.server.Refuse(cm("a"), fault.New(tt.kind, "no"))
			if err := w.deploy.Sync(t.Context(), w.app.Key(), true); !fault.Is(err, tt.want) {
				t.Errorf("it ends with %v (%s), want %s", err, fault.Of(err), tt.want)
			}
			if r := w.record(); r.Pending() == tt.givenUp {
				t.Errorf("given up is seq %d, wanted is %d", r.GivenUp, r.Wanted.Seq)
			}
			if len(w.queue.woken) != 0 {
				t.Error("it wakes itself at once")
			}
		})
	}
}

func TestAKindThatTheClusterDoesNotKnowYetIsWaitedForByTheSweep(t *testing.T) {
	w := newWorld(t)
	w.server.Serve("Widget", false)
	widget := "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n"
	w.push(map[string]string{"w.yaml": widget, "a.yaml": configMap("a", "k: v1")})
	err := w.deploy.Sync(t.Context(), w.app.Key(), true)
	if !fault.Is(err, fault.Unfinished) || !strings.Contains(err.Error(), "apps/shop/w.yaml: Widget w: the cluster knows no kind Widget in example.com/v1") {
		t.Fatalf("the error is %v", err)
	}
	w.server.Serve("Widget", true)
	if r := w.record(); !r.Pending() {
		t.Fatal("no sweep wakes it")
	}
	w.mustSync()
}

func TestAnUnaskedCommitIsNotAppliedInPlaceOfTheOneAskedFor(t *testing.T) {
	w := newWorld(t)
	w.app.Sync = app.SyncPolicy{}
	w.declare(w.app)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.request()
	err := w.interrupt("target", false, func() { w.push(map[string]string{"a.yaml": configMap("a", "k: v2")}) })
	if !fault.Is(err, fault.Superseded) || len(w.server.Writes()) != 0 {
		t.Errorf("it ends with %v after %v", err, w.server.Writes())
	}
	if r := w.record(); r.History[0].Outcome != record.Replaced || r.Lock.Owner != "" {
		t.Errorf("the record says %+v", r)
	}
}

func TestALostInventoryCostsAtMostAnApplyOfEachObject(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	w.server.Take()
	if _, err := w.stores.Records.Update(t.Context(), w.app.Key(), func(r *record.Record) error {
		r.Done.Inventory = app.Digest([]byte("lost"))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2"), "b.yaml": configMap("b", "k: v1")})
	w.mustSync()
	if len(w.server.Writes()) > 2 {
		t.Errorf("the writes were %v", w.server.Writes())
	}
	if h := w.record().History[0]; len(h.Notes) != 1 || !strings.Contains(h.Notes[0], "inventory of the last run is lost") {
		t.Errorf("the notes are %q", h.Notes)
	}
}

func TestAPanicReleasesTheLockAndGivesUpAtLast(t *testing.T) { // faults 17
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.push(map[string]string{"a.yaml": configMap("a", "k: v2")})
	w.server.Around(func(op string, call func() error) error {
		if op == "list" {
			panic("s3cr3t")
		}
		return call()
	})
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is swallowed: nobody logs its stack")
			}
		}()
		_ = w.deploy.Sync(t.Context(), w.app.Key(), true)
	}()
	r := w.record()
	if r.Lock.Owner != "" || r.Lock.Clean || r.Pending() || r.History[0].Outcome != record.Failed {
		t.Errorf("the record says %+v", r)
	}
	if strings.Contains(r.History[0].Reason, "s3cr3t") {
		t.Error("the reason repeats what the panic said")
	}
}

func TestAnotherClusterLeavesANoteOfWhatStaysBehind(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	old := w.server
	w.server = server.New()
	w.app.Destination = app.Destination{Name: "other", Namespace: "production"}
	w.declare(w.app)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.deploy = w.run()
	w.mustSync()
	if h := w.record().History[0]; len(h.Notes) != 1 || h.Notes[0] != "the destination was cluster in-cluster: what was applied there stays there" {
		t.Errorf("the notes are %q", h.Notes)
	}
	if old.Live(cm("a")) == nil || w.server.Live(cm("a")) == nil {
		t.Error("a must be in both clusters")
	}
}

func TestAnotherNamespaceMovesTheObjects(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	w.app.Destination.Namespace = "staging"
	w.declare(w.app)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	moved := manifest.ID{Kind: "ConfigMap", Namespace: "staging", Name: "a"}
	if w.server.Live(cm("a")) != nil || w.server.Live(moved) == nil {
		t.Errorf("the objects are %v", w.server.Writes())
	}
}

func TestWarningsOfTheAPIServerAreNoted(t *testing.T) {
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	w.server.Warn("v1 is old")
	w.mustSync()
	if h := w.record().History[0]; len(h.Notes) != 1 || h.Notes[0] != "apps/shop/a.yaml: ConfigMap production/a: v1 is old" {
		t.Errorf("the notes are %q", h.Notes)
	}
}

func TestEveryObjectThatCannotBeAppliedIsNamed(t *testing.T) {
	w := newWorld(t)
	files := map[string]string{}
	for _, n := range strings.Split("abcdefghijkl", "") {
		files[n+".yaml"] = "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: " + n + "-\n"
	}
	w.push(files)
	err := w.sync()
	if !fault.Is(err, fault.Invalid) || strings.Count(err.Error(), "generateName") != shown || !strings.HasSuffix(err.Error(), "and 2 more") {
		t.Errorf("the error is %v", err)
	}
}

func TestAnObjectInANamespaceThatIsThereIsTriedAlsoIfTheNamespaceIsInTheSet(t *testing.T) {
	w := newWorld(t)
	namespace := "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: production\n"
	w.push(map[string]string{"ns.yaml": namespace, "a.yaml": configMap("a", "k: v1")})
	w.mustSync()
	if n := w.server.Count("try"); n != 1 {
		t.Errorf("%d dry runs, want one of the namespace: nothing can be tried in it yet", n)
	}
	w.server.Take()
	w.server.Refuse(cm("b"), fault.New(fault.Invalid, "refused"))
	for name, ns := range map[string]string{"unchanged": namespace, "changed": namespace + "  labels: {team: shop}\n"} {
		t.Run(name, func(t *testing.T) {
			w.push(map[string]string{"ns.yaml": ns, "a.yaml": configMap("a", "k: "+name), "b.yaml": configMap("b", "k: v2")})
			if err := w.sync(); !fault.Is(err, fault.Invalid) || len(w.server.Writes()) != 0 {
				t.Errorf("it ends with %v after %v", err, w.server.Writes())
			}
		})
	}
}

func TestAnApplicationThatIsNotDeclaredOrNotFoundHasNothingToDo(t *testing.T) {
	w := newWorld(t)
	if err := w.deploy.Sync(context.Background(), "argocd/unknown", false); err != nil {
		t.Error(err)
	}
	w.mustSync() // declared, and no commit was found yet
	if len(w.server.Requests()) != 0 {
		t.Errorf("the cluster was asked %v", w.server.Requests())
	}
}

func TestARunWhoseTimeIsCutStillFreesTheLock(t *testing.T) { // or nobody could go on until the lease ends
	w := newWorld(t)
	w.push(map[string]string{"a.yaml": configMap("a", "k: v1")})
	ctx, cancel := context.WithCancel(t.Context())
	w.server.Around(func(op string, call func() error) error {
		if op == "apply" {
			cancel()
			return fault.InFlight(fault.Wrap(fault.Unavailable, ctx.Err()))
		}
		return call()
	})
	if err := w.deploy.Sync(ctx, w.app.Key(), false); !fault.Is(err, fault.Unavailable) {
		t.Errorf("it ends with %v", err)
	}
	if r := w.record(); r.Lock.Owner != "" || r.Lock.Clean || len(r.History) != 1 {
		t.Errorf("the record says %+v", r)
	}
}
