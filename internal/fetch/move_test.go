package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/revision"
)

func TestOnePushToAMonorepoCostsOneArchiveAndOneWakeUp(t *testing.T) {
	w := newWorld(t)
	var files []string
	for i := range 100 {
		name := fmt.Sprintf("app-%02d", i)
		w.declare(name, "main")
		files = append(files, name+"/app.yaml: 1")
	}
	w.mustMove(hint(w.push(files...)))
	if len(w.wakes) != 100 || w.host.calls["archive"] != 1 {
		t.Fatalf("first: %d wake-ups, %d archives", len(w.wakes), w.host.calls["archive"])
	}
	w.drain()
	clear(w.host.calls)
	b := w.push("app-07/app.yaml: 2")
	w.mustMove(hint(b))
	if len(w.wakes) != 1 || w.wakes[0] != "argocd/app-07" {
		t.Errorf("woken: %v", w.wakes)
	}
	if c := w.host.calls; c["archive"] != 1 || c["tip"] != 1 || c["compare"] != 1 {
		t.Errorf("calls of the host: %v", c)
	}
	w.wantRev("argocd/app-99", b)
}

func TestTheRecordSaysWhenTheWebhookWasReceived(t *testing.T) {
	w := newWorld(t)
	name := w.declare("shop", "main")
	m := hint(w.push("shop/app.yaml: 1"))
	m.Received = 1712345678901
	w.mustMove(m)
	if got := w.record(name).Wanted.Since; got != m.Received {
		t.Fatalf("since %d", got)
	}
}

func TestARefusedApplicationKeepsNoOther(t *testing.T) {
	w := newWorld(t)
	bad, good := w.declare("bad", "main"), w.declare("good", "main")
	a := w.push("bad/app.yaml: 1", "good/app.yaml: 1")
	w.mustMove(hint(a))
	w.drain()
	was := w.record(bad)
	b := w.push("bad/broken: yes", "good/app.yaml: 2")
	w.mustMove(hint(b))
	w.wantRev(good, b)
	got := w.record(bad)
	if got.Wanted.Digest != was.Wanted.Digest || got.Wanted.Seq != was.Wanted.Seq || w.rev(bad) != a {
		t.Errorf("a refused revision is wanted: %+v", got.Wanted)
	}
	if r := got.Refused; r.Rev != b || r.Source != string(repo)+"@main" || !strings.Contains(r.Reason, "no manifests") || r.At.IsZero() {
		t.Errorf("refusal %+v", r)
	}
	c := w.push("bad/broken: ", "bad/app.yaml: 3")
	w.mustMove(hint(c))
	w.wantRev(bad, c)
	if r := w.record(bad).Refused; r.Reason != "" {
		t.Errorf("still refused: %+v", r)
	}
}

func TestASlowFetchsRefusalIsNotNotedOverANewerRevision(t *testing.T) {
	w, name, _ := start(t)
	var c revision.SHA
	w.between(hint(w.push("shop/broken: yes")), func() {
		c = w.push("shop/broken: ")
		w.mustMove(hint(c))
	})
	w.wantRev(name, c)
	if r := w.record(name).Refused; r.Reason != "" {
		t.Fatalf("refused: %+v", r)
	}
}

func TestARefusedTipContradictsASuspectToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, name, a := start(t)
		b := w.push("shop/app.yaml: 2")
		w.mustMove(bare)
		w.host.stale = []revision.SHA{a}
		w.busy(bare)
		time.Sleep(50 * time.Second)
		w.push("shop/broken: yes")
		w.mustMove(bare)
		w.host.stale = []revision.SHA{a}
		time.Sleep(50 * time.Second)
		w.busy(bare) // two stale reads, and a good one between them: no force-push
		w.wantRev(name, b)
	})
}

func TestAHostileArchiveRefusesAllAndIsAcknowledged(t *testing.T) {
	w, name, a := start(t)
	b := w.push("hostile: yes")
	w.mustMove(hint(b))
	w.wantRev(name, a)
	if r := w.record(name).Refused; r.Rev != b || !strings.Contains(r.Reason, "hostile") {
		t.Fatalf("refusal %+v", r)
	}
}

func TestAChangedDeclarationIsCutAgainAtTheSameRevision(t *testing.T) {
	w, name, a := start(t)
	was := w.record(name)
	w.declare("shop", "main", func(x *app.Application) { x.Destination.Namespace = "production" })
	w.mustMove(revision.Move{Repository: repo, Ref: "main", Delivery: "register-shop"})
	got := w.record(name)
	w.wantRev(name, a)
	if got.Wanted.Digest == was.Wanted.Digest || got.Wanted.Seq <= was.Wanted.Seq || len(w.wakes) == 0 {
		t.Fatalf("the changed declaration is not wanted: %+v", got.Wanted)
	}
	clear(w.host.calls)
	w.mustMove(revision.Move{Repository: repo, Ref: "main", Delivery: "register-shop"})
	if again := w.record(name); again.Ver != got.Ver || w.host.calls["archive"] != 0 {
		t.Fatalf("fetched again without need: ver %d -> %d, %v", got.Ver, again.Ver, w.host.calls)
	}
}

func TestADeclarationThatIsReplacedMeanwhileDoesNotWin(t *testing.T) {
	w, name, _ := start(t)
	other := w.commit("", "shop/app.yaml: other")
	w.set("release", other)
	w.between(hint(w.push("shop/app.yaml: 2")), func() {
		w.declare("shop", "release")
		w.mustMove(revision.Move{Repository: repo, Ref: "release", Delivery: "register-shop"})
	})
	want := map[string]revision.SHA{string(repo) + "@release": other}
	if got := w.record(name).Wanted.Revs; len(got) != 1 || got[string(repo)+"@release"] != other {
		t.Fatalf("wanted %v, want %v: the revision of a source that is no longer declared is of no use", got, want)
	}
}

type slowRegistry struct {
	Registry
	then func() // after the first answer
}

func (r *slowRegistry) Using(ctx context.Context, repository revision.Repository) ([]app.Registered, error) {
	all, err := r.Registry.Using(ctx, repository)
	if then := r.then; then != nil {
		r.then = nil
		then()
	}
	return all, err
}

func TestADeclarationThatWasReadBeforeTheRecordIsReadAgain(t *testing.T) {
	w, name, _ := start(t)
	w.push("shop/app.yaml: 2")
	want := ""
	f := w.fetch()
	f.Registry = &slowRegistry{Registry: f.Registry, then: func() {
		w.declare("shop", "main", func(a *app.Application) { a.Destination.Namespace = "production" })
		w.mustMove(revision.Move{Repository: repo, Ref: "main", Delivery: "register-shop"})
		want = w.record(name).Wanted.Declared
	}}
	if err := f.Move(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	if got := w.record(name).Wanted.Declared; got != want {
		t.Fatalf("wanted as declared before: %s, want %s", got, want)
	}
}

func TestAnApplicationThatIsUnregisteredMeanwhileGetsNoRecord(t *testing.T) {
	w, name, _ := start(t)
	w.between(hint(w.push("shop/app.yaml: 2")), func() {
		if err := errors.Join(w.stores.Registry.Remove(t.Context(), name), w.stores.Records.Delete(t.Context(), name)); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := w.stores.Records.Get(t.Context(), name); !fault.Is(err, fault.NotFound) {
		t.Fatalf("got %v, want no record", err)
	}
}

func TestAHostBehindItsOwnWebhookIsAskedAgainForTwentySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, name, a := start(t)
		b := w.push("shop/app.yaml: 2")
		m := hint(b)
		began := time.Now()
		w.set("main", a) // what the lagging host shows
		reads := 0
		for {
			err := w.fetch().Move(t.Context(), m)
			reads++
			if err == nil {
				break
			}
			after, ok := fault.After(err)
			if !ok || reads > 20 {
				t.Fatalf("read %d: %v", reads, err)
			}
			w.wantRev(name, a)
			time.Sleep(after)
		}
		if took := time.Since(began); took != revision.HintWait {
			t.Errorf("gave up after %s, want %s", took, revision.HintWait)
		}
		w.wantRev(name, a)
		w.set("main", b)
		w.mustMove(m)
		w.wantRev(name, b)
	})
}

func TestAHintThatTheHostDoesNotHaveIsNotWaitedFor(t *testing.T) {
	w, name, _ := start(t)
	b := w.push("shop/app.yaml: 2")
	w.mustMove(hint("ffffffffffffffffffffffffffffffffffffffff"))
	w.wantRev(name, b)
}

func TestADeletedBranchPrunesNothingAndIsVisible(t *testing.T) {
	w, name, a := start(t)
	was := w.record(name)
	delete(w.host.refs, revision.Source{Repository: repo, Ref: "main"})
	w.mustMove(bare)
	got := w.record(name)
	if got.Wanted.Digest != was.Wanted.Digest || got.Wanted.Seq != was.Wanted.Seq || !strings.HasPrefix(got.Refused.Reason, "source missing") {
		t.Fatalf("record after the branch was deleted: %+v", got)
	}
	w.set("main", a)
	w.mustMove(bare)
	if r := w.record(name).Refused; r.Reason != "" {
		t.Fatalf("the branch is back and still refused: %+v", r)
	}
}

func TestADeniedSourceIsVisibleAndTriedAgain(t *testing.T) {
	w, name, a := start(t)
	w.host.broken["tip main"] = fault.New(fault.Denied, "401: the token has expired")
	if err := w.fetch().Move(t.Context(), bare); !fault.Is(err, fault.Denied) {
		t.Fatalf("got %v, want it back", err)
	}
	if r := w.record(name); !strings.Contains(r.Refused.Reason, "the token has expired") || w.rev(name) != a {
		t.Fatalf("record %+v", r)
	}
	clear(w.host.broken)
	w.mustSweep()
	w.drain()
	if r := w.record(name).Refused; r.Reason != "" {
		t.Fatalf("readable again, and still refused: %+v", r)
	}
}

func TestAPinnedCommitAndHeadAreFollowedToo(t *testing.T) {
	w := newWorld(t)
	a := w.push("pinned/app.yaml: 1", "head/app.yaml: 1")
	pinned, head := w.declare("pinned", string(a)), w.declare("head", "")
	b := w.push("pinned/app.yaml: 2", "head/app.yaml: 2")
	w.set(revision.Head, b)
	m := hint(b)
	m.Default = true
	w.mustMove(m)
	w.mustMove(revision.Move{Repository: repo, Ref: string(a), Delivery: "register-pinned"})
	if got := w.record(head).Wanted.Revs[string(repo)+"@HEAD"]; got != b {
		t.Errorf("head wants %s", got)
	}
	if got := w.record(pinned).Wanted.Revs[string(repo)+"@"+string(a)]; got != a {
		t.Errorf("pinned wants %s", got)
	}
}

func TestAPushThatConcernsNobodyAsksTheHostNothing(t *testing.T) {
	w, _, _ := start(t)
	clear(w.host.calls)
	w.mustMove(revision.Move{Repository: repo, Ref: "feature", Delivery: "1"})
	w.mustMove(revision.Move{Repository: "git.example/org/other", Ref: "main", Delivery: "2"})
	if len(w.host.calls) != 0 {
		t.Fatalf("calls of the host: %v", w.host.calls)
	}
}

func TestTheArchiveIsNotFetchedTwiceForARecordThatMoved(t *testing.T) {
	w, name, _ := start(t)
	clear(w.host.calls)
	b := w.push("shop/app.yaml: 2")
	w.between(hint(b), func() { w.touch(name) })
	w.wantRev(name, b)
	if got := w.host.calls["archive"]; got != 1 {
		t.Fatalf("%d archives", got)
	}
}

// touch moves ver as another fetch would.
func (w *world) touch(name app.Name) {
	w.t.Helper()
	_, err := w.stores.Records.Update(w.t.Context(), name, func(r *record.Record) error { r.Ver++; return nil })
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestARecordThatNeverStopsMovingIsLeftForLater(t *testing.T) {
	w, name, a := start(t)
	m := hint(w.push("shop/app.yaml: 2"))
	for range 50 {
		w.host.atTip = append(w.host.atTip, func() { w.touch(name) })
	}
	w.busy(m)
	w.wantRev(name, a)
	if read := 50 - len(w.host.atTip); read != tries {
		t.Fatalf("%d tries, want %d", read, tries)
	}
}

type badBlobs struct {
	Blobs
	bad string
}

func (b badBlobs) Put(ctx context.Context, data []byte) (string, error) {
	if strings.Contains(string(data), b.bad) {
		return "", fault.New(fault.Unavailable, "no space")
	}
	return b.Blobs.Put(ctx, data)
}

func TestOneApplicationsErrorKeepsNoOtherAndBringsTheMoveBack(t *testing.T) {
	w := newWorld(t)
	one, two := w.declare("one", "main"), w.declare("two", "main")
	a := w.push("one/app.yaml: 1", "two/app.yaml: 1")
	f := w.fetch()
	f.Blobs = badBlobs{f.Blobs, "one/app.yaml"}
	if err := f.Move(t.Context(), hint(a)); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), string(one)) {
		t.Fatalf("got %v, want the error of %s", err, one)
	}
	w.wantRev(two, a)
	if _, err := w.stores.Records.Get(t.Context(), one); !fault.Is(err, fault.NotFound) {
		t.Fatalf("%s has a record: %v", one, err)
	}
	w.mustMove(hint(a))
	w.wantRev(one, a)
}

func TestHostErrorsKeepTheirKindAndTime(t *testing.T) {
	w, _, a := start(t)
	b := w.push("shop/app.yaml: 2")
	for call, argument := range map[string]string{"tip": "main", "compare": string(a), "archive": string(b)} {
		w.host.broken = map[string]error{call + " " + argument: fault.Later(fault.Unavailable, 17*time.Minute, errors.New("rate limit"))}
		err := w.fetch().Move(t.Context(), hint(b))
		if after, _ := fault.After(err); !fault.Is(err, fault.Unavailable) || after != 17*time.Minute {
			t.Errorf("%s: got %v after %s", call, err, after)
		}
	}
}

type slowHost struct{ Host }

func (slowHost) Archive(ctx context.Context, _ revision.Repository, _ revision.SHA) (io.ReadCloser, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAnArchiveThatNeverComesIsGivenUpInItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, name, a := start(t)
		f := w.fetch()
		f.Host = slowHost{f.Host}
		began := time.Now()
		err := f.Move(t.Context(), hint(w.push("shop/app.yaml: 2")))
		if !fault.Is(err, fault.Unavailable) || time.Since(began) != archiveTime {
			t.Fatalf("got %v after %s", err, time.Since(began))
		}
		w.wantRev(name, a)
	})
}

func TestAnEndedContextChangesNothing(t *testing.T) {
	w, name, _ := start(t)
	was := w.record(name)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.fetch().Move(ctx, hint(w.push("shop/app.yaml: 2"))); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if got := w.record(name); got.Ver != was.Ver {
		t.Fatalf("ver %d -> %d", was.Ver, got.Ver)
	}
}
