package record

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
)

func TestALockIsTakenWhenFreeOrWhenItsLeaseAndGraceAreOver(t *testing.T) { // rule 9
	until := at(125)
	for _, tt := range []struct {
		name string
		now  time.Time
		busy time.Duration // 0: taken
	}{
		{"just taken", at(0), 155 * time.Second},
		{"a minute later", at(60), 95 * time.Second},
		{"the lease ends", at(125), 30 * time.Second},
		{"in the grace", at(150), 5 * time.Second},
		{"the grace ends", at(155), time.Second}, // never 0: coming back at once would livelock
		{"after the grace", at(156), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := wanting(t)
			must(t, r.Take("first", at(0), until))
			before := *r
			err := r.Take("second", tt.now, tt.now.Add(time.Minute))
			if tt.busy == 0 {
				must(t, err)
				if r.Lock.Owner != "second" || r.Lock.Fence <= before.Lock.Fence {
					t.Errorf("taken: %+v", r.Lock)
				}
				return
			}
			refused(t, err, fault.Busy)
			if after, ok := fault.After(err); !ok || after != tt.busy {
				t.Errorf("come back after %s, want %s", after, tt.busy)
			}
			if diff := cmp.Diff(before, *r); diff != "" {
				t.Errorf("a busy lock changed: %s", diff)
			}
		})
	}
}

func TestAHolderThatKnowsNobodyElseIsAliveNeedNotWait(t *testing.T) {
	r := wanting(t)
	must(t, r.Take("dead", at(0), at(125)))
	r.Expire()
	must(t, r.Take("next", at(1), at(60)))
	if r.Lock.Takeover != r.Lock.Fence {
		t.Error("the death of a holder is no takeover")
	}
	free := wanting(t)
	before := *free
	if free.Expire(); !cmp.Equal(before, *free) {
		t.Error("expiring a free lock changes it")
	}
}

func TestATakeoverIsDueAfterAnEndThatWasNotClean(t *testing.T) { // rule 11; dropped: GAP after 28 steps
	release := func(end End) func(*testing.T, *Record) {
		return func(t *testing.T, r *Record) {
			must(t, r.Take("before", at(0), at(60)))
			_, err := r.Release(r.Lock.Fence, end)
			must(t, err)
		}
	}
	for _, tt := range []struct {
		name   string
		before func(*testing.T, *Record)
		due    bool
	}{
		{"the record is new or was lost", func(*testing.T, *Record) {}, true},
		{"the last run settled everything", release(Settled), false},
		{"the last run left a write in flight", release(InFlight), true},
		{"the last run died", func(t *testing.T, r *Record) { must(t, r.Take("dead", at(-500), at(-400))) }, true},
		{"the last run was settled, but one died before it and was taken over", func(t *testing.T, r *Record) {
			must(t, r.Take("dead", at(-500), at(-400)))
			release(Settled)(t, r)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := wanting(t)
			tt.before(t, r)
			must(t, r.Take("run", at(100), at(200)))
			if due := r.Lock.Takeover != 0; due != tt.due {
				t.Errorf("takeover is due: %v, want %v", due, tt.due)
			}
			if tt.due && r.Lock.Takeover != r.Lock.Fence {
				t.Errorf("objects count as touched from %d, the fence is %d", r.Lock.Takeover, r.Lock.Fence)
			}
			if r.Lock.Clean {
				t.Error("a held lock is clean: a death would go unnoticed")
			}
		})
	}
}

func TestALargeTakeoverIsFinishedInTurns(t *testing.T) {
	r := wanting(t)
	must(t, r.Take("one", at(0), at(60)))
	from := r.Lock.Takeover
	_, err := r.Release(r.Lock.Fence, Partial)
	must(t, err)
	must(t, r.Take("two", at(1), at(60)))
	if r.Lock.Takeover != from || r.Lock.Fence <= from {
		t.Fatalf("the second turn starts over: %+v, the first counted from %d", r.Lock, from)
	}
	t.Run("until it is settled", func(t *testing.T) {
		r := *r
		_, err := r.Release(r.Lock.Fence, Settled)
		must(t, err)
		must(t, r.Take("three", at(2), at(60)))
		if r.Lock.Takeover != 0 {
			t.Error("a settled takeover goes on")
		}
	})
	t.Run("or anew when a turn dies", func(t *testing.T) {
		r := *r
		must(t, r.Take("three", at(200), at(260)))
		if r.Lock.Takeover != r.Lock.Fence {
			t.Error("the dead turn's writes may still arrive, and nothing is touched against them")
		}
	})
}

func TestAnOrderlyStopWithNothingToTouchIsClean(t *testing.T) {
	r := wanting(t)
	finish(t, r, at(0))
	must(t, r.Take("run", at(1), at(60)))
	_, err := r.Release(r.Lock.Fence, Partial)
	must(t, err)
	if !r.Lock.Clean {
		t.Error("the next run would touch every object for nothing")
	}
}

func TestAStaleRunCanWriteNothingIntoTheRecord(t *testing.T) { // rule 14; dropped: P2 after 30 steps
	r := wanting(t)
	must(t, r.Take("paused", at(0), at(60)))
	stale := r.Lock.Fence
	writes := map[string]func(fence uint64) error{
		"holds":   r.Holds,
		"finish":  func(f uint64) error { return r.Finish(f, Done{Seq: 1}) },
		"release": func(f uint64) error { _, err := r.Release(f, Settled); return err },
		"widen":   func(f uint64) error { return r.Widen(f, []string{"Pod"}) },
	}
	check := func(t *testing.T) {
		before := *r
		for name, write := range writes {
			refused(t, write(stale), fault.Superseded)
			if diff := cmp.Diff(before, *r); diff != "" {
				t.Fatalf("%s wrote: %s", name, diff)
			}
		}
	}
	must(t, r.Take("newer", at(100), at(160)))
	t.Run("while a newer one holds the lock", check)
	_, err := r.Release(r.Lock.Fence, Settled)
	must(t, err)
	t.Run("after a newer one has released it", check)
	stale = r.Lock.Fence
	t.Run("after its own release", check)
	*r = Record{Application: r.Application}
	t.Run("after the record was lost", check)
	must(t, r.Take("another", at(101), at(160)))
	t.Run("after another took the lock of a new record", check)
}

func TestAWakeUpIsDueForWhatIsWantedNotDoneAndNotGivenUp(t *testing.T) { // rules 8 and 16 b
	r := &Record{Application: "argocd/web"}
	if r.Pending() {
		t.Error("nothing is wanted")
	}
	r = wanting(t)
	if !r.Pending() {
		t.Error("wanted and not done")
	}
	r.GiveUp(r.Wanted.Seq + 1)
	if !r.Pending() {
		t.Error("another seq was given up")
	}
	r.GiveUp(r.Wanted.Seq)
	if r.Pending() {
		t.Error("a refused seq would be tried for ever")
	}
	r.Request()
	if !r.Pending() || r.Requested != r.Wanted.Seq {
		t.Error("a person asked for it")
	}
	r.GiveUp(r.Wanted.Seq)
	must(t, r.Find(r.Ver, main, "c2", "d2", false, at(1), at(1)))
	if !r.Pending() {
		t.Error("a newer commit is held up by an older one that was given up")
	}
	finish(t, r, at(2))
	if r.Pending() {
		t.Error("it is done")
	}
}

func TestReleaseTellsWhetherMoreIsWanted(t *testing.T) {
	r := wanting(t)
	must(t, r.Take("run", at(0), at(60)))
	seq := r.Wanted.Seq
	must(t, r.Find(r.Ver, main, "c2", "d2", false, at(1), at(1)))
	must(t, r.Finish(r.Lock.Fence, Done{Seq: seq}))
	more, err := r.Release(r.Lock.Fence, Settled)
	must(t, err)
	if !more {
		t.Error("a commit that came meanwhile waits for a sweep")
	}
	fence := r.Lock.Fence
	finish(t, r, at(2))
	if r.Lock.Owner != "" || r.Lock.Fence <= fence || !r.Lock.Clean {
		t.Errorf("released: %+v", r.Lock)
	}
}

func TestHistoryIsBoundedNewestFirstAndCountsRepeats(t *testing.T) {
	r := wanting(t)
	for i := range 30 {
		r.Remember(Run{Seq: uint64(i), Outcome: Applied})
	}
	if len(r.History) != historyCap || r.History[0].Seq != 29 {
		t.Fatalf("%d runs, the first of seq %d", len(r.History), r.History[0].Seq)
	}
	kept := r.History
	down := Run{Seq: 30, Outcome: Failed, Reason: "cluster away", Started: at(0), Ended: at(1)}
	r.Remember(down)
	down.Started, down.Ended = at(60), at(61)
	r.Remember(down)
	if h := r.History[0]; h.Attempts != 2 || !h.Started.Equal(at(0)) || !h.Ended.Equal(at(61)) || r.History[1].Seq != 29 {
		t.Errorf("a repeat: %+v", h)
	}
	down.Reason = "denied"
	r.Remember(down)
	r.Remember(Run{Seq: 30, Outcome: Applied})
	r.Remember(Run{Seq: 30, Outcome: Applied})
	var got []string
	for _, h := range r.History[:4] {
		got = append(got, fmt.Sprintf("%s %d", h.Outcome, h.Attempts))
	}
	if diff := cmp.Diff([]string{"applied 1", "applied 1", "failed 1", "failed 2"}, got); diff != "" {
		t.Error(diff)
	}
	if kept[0].Seq != 29 || kept[0].Attempts != 1 {
		t.Error("the history of a copy changed")
	}
}

func TestNotesOfARunAreBounded(t *testing.T) {
	notes := slices.Repeat([]string{strings.Repeat("n", 100)}, 2000)
	r := wanting(t)
	r.Remember(Run{Seq: 1, Notes: notes})
	got := r.History[0].Notes
	if len(got) != 82 || got[81] != "and 1919 more" || len(notes) != 2000 || notes[81][0] != 'n' {
		t.Errorf("%d notes, the last %q", len(got), got[len(got)-1])
	}
	r.Remember(Run{Seq: 2, Notes: notes[:3]})
	if len(r.History[0].Notes) != 3 {
		t.Error("few notes were cut")
	}
}

func TestKindsOnlyGrow(t *testing.T) {
	r := wanting(t)
	must(t, r.Take("run", at(0), at(60)))
	must(t, r.Widen(r.Lock.Fence, []string{"Service", "ConfigMap"}))
	must(t, r.Widen(r.Lock.Fence, []string{"Service", "Deployment.apps"}))
	if diff := cmp.Diff([]string{"ConfigMap", "Deployment.apps", "Service"}, r.Kinds); diff != "" {
		t.Error(diff)
	}
}

// Whatever is called in whatever order, fences, seqs and versions only grow, one fence is valid at a time, and a lock is
// clean only if it is free.
func TestCountersAndLockHoldUnderAnyOrderOfCalls(t *testing.T) {
	for seed := range uint64(300) {
		r, now := &Record{Application: "argocd/web"}, noon
		rnd := rand.New(rand.NewPCG(seed, 1))
		var fences []uint64
		for range 60 {
			before := *r
			now = now.Add(time.Duration(rnd.IntN(90)-10) * time.Second) // clocks differ
			fence := r.Lock.Fence
			if len(fences) > 0 {
				fence = fences[rnd.IntN(len(fences))]
			}
			var err error
			switch rnd.IntN(6) {
			case 0, 1:
				if err = r.Take("run", now, now.Add(time.Minute)); err == nil {
					fences = append(fences, r.Lock.Fence)
				}
			case 2:
				err = r.Find(r.Ver, main, "c", fmt.Sprint("d", rnd.IntN(3)), rnd.IntN(4) == 0, now, now)
			case 3:
				err = r.Finish(fence, Done{Seq: r.Wanted.Seq})
			case 4:
				_, err = r.Release(fence, End(rnd.IntN(3)))
			case 5:
				err = r.Suspects(r.Ver, main, "x", now)
			}
			if err != nil && !cmp.Equal(before, *r) {
				t.Fatalf("seed %d: an error changed the record: %v", seed, err)
			}
			if r.Ver < before.Ver || r.Wanted.Seq < before.Wanted.Seq || r.Lock.Fence < before.Lock.Fence {
				t.Fatalf("seed %d: a counter went back: %+v after %+v", seed, r, before)
			}
			if r.Lock.Clean && r.Lock.Owner != "" || r.Lock.Takeover > r.Lock.Fence {
				t.Fatalf("seed %d: lock %+v", seed, r.Lock)
			}
			valid := 0
			for _, f := range fences {
				if r.Holds(f) == nil {
					valid++
				}
			}
			if valid > 1 || valid == 1 && r.Lock.Owner == "" {
				t.Fatalf("seed %d: %d fences hold %+v", seed, valid, r.Lock)
			}
		}
	}
}

func TestARequestIsAnsweredOnce(t *testing.T) { // slipway app sync applies again what is done
	r := wanting(t)
	finish(t, r, at(0))
	r.Request()
	if !r.Pending() {
		t.Fatal("a request for what is done is lost with its message")
	}
	must(t, r.Take("run", at(1), at(60)))
	must(t, r.Finish(r.Lock.Fence, Done{Seq: r.Wanted.Seq - 1}))
	if r.Requested == 0 {
		t.Error("another seq answers it")
	}
	must(t, r.Finish(r.Lock.Fence, Done{Seq: r.Wanted.Seq}))
	if r.Pending() || r.Requested != 0 {
		t.Errorf("it is answered, and still pending: %+v", r)
	}
	r.Request()
	r.GiveUp(r.Wanted.Seq)
	if r.Pending() {
		t.Error("a refused request would be tried for ever")
	}
}
