package fetch

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/revision"
)

func TestTheSweepFindsALostPush(t *testing.T) { // rule 16 a
	w, name, _ := start(t)
	w.mustSweep()
	if len(w.moves) != 0 {
		t.Fatalf("moves though nothing moved: %v", w.moves)
	}
	b := w.push("shop/app.yaml: 2")
	w.mustSweep()
	if len(w.moves) != 1 {
		t.Fatalf("moves: %v", w.moves)
	}
	w.drain()
	w.wantRev(name, b)
	if got := w.record(name); got.Pending() {
		t.Fatalf("not applied: %+v", got)
	}
}

func TestTheSweepFindsAnApplicationWithoutARecord(t *testing.T) {
	w := newWorld(t)
	name := w.declare("shop", "main")
	a := w.push("shop/app.yaml: 1")
	w.mustSweep()
	w.drain()
	w.wantRev(name, a)
}

func TestATipThatWasSeenButNotFetchedIsFoundByTheNextSweep(t *testing.T) {
	w, name, _ := start(t)
	b := w.push("shop/app.yaml: 2")
	w.mustSweep()
	w.moves = nil // lost
	w.mustSweep()
	if w.host.calls["not modified"] != 1 {
		t.Fatalf("the second request had no condition: %v", w.host.calls)
	}
	w.drain()
	w.wantRev(name, b)
}

func TestTheSweepWakesWhatIsWantedAndNotDone(t *testing.T) { // rule 16 b
	w, name, _ := start(t)
	w.mustMove(hint(w.push("shop/app.yaml: 2")))
	w.wakes = nil // lost
	w.mustSweep()
	if len(w.wakes) != 1 || w.wakes[0] != name || len(w.moves) != 0 {
		t.Fatalf("woken %v, moved %v", w.wakes, w.moves)
	}
	w.drain()
	w.mustSweep()
	if len(w.wakes) != 0 {
		t.Fatalf("woken though all is done: %v", w.wakes)
	}
}

func TestTheSweepDoesNotWakeWhatWasGivenUpOrWaitsForAPerson(t *testing.T) {
	w := newWorld(t)
	given, manual := w.declare("given", "main"), w.declare("manual", "main", func(a *app.Application) { a.Sync.Automated = false })
	w.mustMove(hint(w.push("given/app.yaml: 1", "manual/app.yaml: 1")))
	change := func(name app.Name, do func(*record.Record)) {
		t.Helper()
		_, err := w.stores.Records.Update(t.Context(), name, func(r *record.Record) error { do(r); return nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	change(given, func(r *record.Record) { r.GiveUp(r.Wanted.Seq) })
	w.wakes = nil
	w.mustSweep()
	if len(w.wakes) != 0 {
		t.Fatalf("woken: %v", w.wakes)
	}
	change(manual, func(r *record.Record) { r.Request() })
	w.mustSweep()
	if len(w.wakes) != 1 || w.wakes[0] != manual {
		t.Fatalf("woken: %v, want what a person asked for", w.wakes)
	}
}

func TestARefusedRevisionIsNotTriedAgainUntilSomethingChanges(t *testing.T) {
	w, name, _ := start(t)
	w.mustMove(hint(w.push("shop/broken: yes")))
	w.mustSweep()
	if len(w.moves) != 0 {
		t.Fatalf("moves: %v", w.moves)
	}
	w.declare("shop", "main", func(a *app.Application) { a.Source.Path = "moved" }) // and its look was lost
	w.mustSweep()
	if len(w.moves) != 1 {
		t.Fatalf("a changed declaration is not looked at: %v", w.moves)
	}
	w.drain()
	w.mustSweep()
	if len(w.moves) != 0 {
		t.Fatalf("refused as declared now, and tried again: %v", w.moves)
	}
	b := w.push("moved/app.yaml: 1")
	w.mustSweep()
	w.drain()
	w.wantRev(name, b)
}

func TestARefusalIsForgottenWhenTheBranchGoesBack(t *testing.T) {
	w, name, a := start(t)
	w.mustMove(hint(w.push("shop/broken: yes")))
	w.set("main", a)
	w.mustSweep()
	w.drain()
	if r := w.record(name).Refused; r.Reason != "" {
		t.Fatalf("the tip is what is wanted, and still refused: %+v", r)
	}
	w.mustSweep()
	if len(w.moves) != 0 {
		t.Fatalf("moves: %v", w.moves)
	}
}

func TestADeletedBranchIsNotedOnceByTheSweep(t *testing.T) {
	w, name, _ := start(t)
	delete(w.host.refs, revision.Source{Repository: repo, Ref: "main"})
	w.mustSweep()
	w.drain()
	if r := w.record(name).Refused; !strings.HasPrefix(r.Reason, "source missing") {
		t.Fatalf("refusal %+v", r)
	}
	w.mustSweep()
	if len(w.moves) != 0 {
		t.Fatalf("moves: %v", w.moves)
	}
}

func TestASweepAsksOncePerBranchAndMovesUnderADeliveryOfItsOwn(t *testing.T) {
	w := newWorld(t)
	tip := w.push("a/app.yaml: 1")
	w.set("release", tip)
	for i := range 40 {
		w.declare(fmt.Sprintf("app-%02d", i), []string{"main", "release"}[i%2])
	}
	w.mustSweep()
	if w.host.calls["changed"] != 2 || len(w.moves) != 2 {
		t.Fatalf("%d requests, moves %v", w.host.calls["changed"], w.moves)
	}
	if a, b := w.moves[0].move.Delivery, w.moves[1].move.Delivery; a == b { // a queue would drop one of them
		t.Fatalf("two moves of one delivery %s", a)
	}
}

func TestOneRepositorysErrorKeepsNoOtherFromBeingSwept(t *testing.T) {
	w := newWorld(t)
	tip := w.push("shop/app.yaml: 1")
	for i := range 20 {
		r := revision.Repository(fmt.Sprintf("git.example/org/repo-%02d", i))
		w.declare(fmt.Sprintf("app-%02d", i), "main", func(a *app.Application) { a.Source.RepoURL = "https://" + string(r) })
		w.host.refs[revision.Source{Repository: r, Ref: "main"}] = tip
	}
	w.host.broken["changed git.example/org/repo-07@main"] = fault.New(fault.Denied, "token expired")
	err := w.fetch().Sweep(t.Context())
	if !fault.Is(err, fault.Denied) || !strings.Contains(err.Error(), "repo-07") {
		t.Fatalf("got %v", err)
	}
	if len(w.moves) != 19 {
		t.Fatalf("%d moves, want 19", len(w.moves))
	}
}

func TestAHostAtItsRateLimitIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	for _, host := range []string{"git.example", "other.example"} {
		for i := range 50 {
			r := revision.Repository(fmt.Sprintf("%s/org/repo-%02d", host, i))
			w.declare(fmt.Sprintf("%.3s-%02d", host, i), "main", func(a *app.Application) { a.Source.RepoURL = "https://" + string(r) })
			w.host.broken["changed "+string(r)+"@main"] = nil
			if host == "git.example" {
				w.host.broken["changed "+string(r)+"@main"] = fault.Later(fault.Unavailable, time.Hour, errors.New("rate limit"))
			}
		}
	}
	f := w.fetch()
	f.atOnce = 1
	if err := f.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "rate limit") {
		t.Fatalf("got %v", err)
	}
	if got := w.host.calls["changed"]; got != 1+50 {
		t.Fatalf("%d requests, want one of the limited host and 50 of the other", got)
	}
}

func TestAnUnreadableNoteOnlyCostsTheCondition(t *testing.T) {
	w, name, _ := start(t)
	w.mustSweep()
	if err := w.stores.Notes.Set(t.Context(), "tip/"+string(repo)+"@main", "{"); err != nil {
		t.Fatal(err)
	}
	b := w.push("shop/app.yaml: 2")
	w.mustSweep()
	w.drain()
	w.wantRev(name, b)
}
