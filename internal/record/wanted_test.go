package record

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

func TestWantedIsWrittenOnlyOverTheVersionThatWasRead(t *testing.T) { // rule 3
	writes := map[string]func(r *Record, ver uint64) error{
		"find":     func(r *Record, ver uint64) error { return r.Find(ver, main, "c2", "d2", false, at(1), at(1)) },
		"suspects": func(r *Record, ver uint64) error { return r.Suspects(ver, main, "c2", at(1)) },
		"clear":    func(r *Record, ver uint64) error { return r.Clear(ver, main, at(1)) },
		"refuse":   func(r *Record, ver uint64) error { return r.Refuse(ver, main, "c2", "no chart", at(1)) },
	}
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			r := wanting(t)
			must(t, r.Suspects(r.Ver, main, "c0", at(0)))
			before := *r
			for _, ver := range []uint64{0, r.Ver - 1, r.Ver + 1} {
				refused(t, write(r, ver), fault.Conflict)
				if diff := cmp.Diff(before, *r); diff != "" {
					t.Fatalf("a refused write changed the record: %s", diff)
				}
			}
			must(t, write(r, r.Ver))
		})
	}
}

func TestOneCounterServesAllSources(t *testing.T) { // dropped: P2 after 24 steps
	r := wanting(t)
	ver := r.Ver
	must(t, r.Find(ver, other, "v1", "d2", false, at(1), at(1)))
	refused(t, r.Find(ver, main, "c2", "d3", false, at(2), at(2)), fault.Conflict)
}

func TestARecordIsNotWrittenOverAfterItWasLostAndMadeAnew(t *testing.T) { // rule 2
	lost := wanting(t)
	for ver := range map[uint64]bool{0: true, lost.Ver: true} {
		anew := &Record{Application: lost.Application}
		must(t, anew.Find(0, main, "c5", "d5", false, at(9), at(9)))
		refused(t, anew.Find(ver, main, "c1", "d1", false, at(9), at(9)), fault.Conflict)
	}
}

func TestASeqGrowsWithTheDigestAndOnlyWithIt(t *testing.T) { // rules 1 and 7
	r := wanting(t)
	seq, ver := r.Wanted.Seq, r.Ver
	if seq == 0 || ver == 0 || r.Wanted.Since != at(-1).UnixMilli() {
		t.Fatalf("first find: %+v", r.Wanted)
	}
	must(t, r.Find(ver, main, "c2", "d1", false, at(4), at(5)))
	if r.Wanted.Seq != seq || r.Ver <= ver || r.Wanted.Revs[main.String()] != "c2" || r.Wanted.Since != at(-1).UnixMilli() {
		t.Errorf("the same digest at another commit: %+v, ver %d after %d", r.Wanted, r.Ver, ver)
	}
	must(t, r.Find(r.Ver, main, "c3", "d2", false, at(6), at(7)))
	if r.Wanted.Seq <= seq || r.Wanted.Since != at(6).UnixMilli() {
		t.Errorf("another digest: %+v after seq %d", r.Wanted, seq)
	}
}

func TestAPushAndItsRevertInFlightAreTwoSeqs(t *testing.T) { // rule 7: compared with wanted, never with done
	r := wanting(t)
	finish(t, r, at(1))
	must(t, r.Find(r.Ver, main, "c2", "d2", false, at(2), at(2)))
	pushed := r.Wanted.Seq
	must(t, r.Take("run", at(3), at(60)))
	must(t, r.Find(r.Ver, main, "c3", "d1", false, at(4), at(4))) // the revert: the digest that is done
	if r.Wanted.Seq <= pushed {
		t.Fatal("the revert got no seq of its own, so the pushed state would stay")
	}
	must(t, r.Finish(r.Lock.Fence, Done{Seq: pushed, Digest: "d2"}))
	more, err := r.Release(r.Lock.Fence, Settled)
	must(t, err)
	if !more {
		t.Error("nobody is told that the revert waits")
	}
}

func TestARevisionIsKeptForEachSource(t *testing.T) {
	r := wanting(t)
	must(t, r.Find(r.Ver, other, "v1", "d2", false, at(1), at(1)))
	want := map[string]revision.SHA{main.String(): "c1", other.String(): "v1"}
	if diff := cmp.Diff(want, r.Wanted.Revs); diff != "" {
		t.Error(diff)
	}
}

func TestForcedLivesUntilWhatItMarkedIsDone(t *testing.T) { // rule 6; dropped: P2 after 40 steps
	r := wanting(t)
	finish(t, r, at(1))
	must(t, r.Find(r.Ver, main, "c9", "d9", true, at(2), at(2)))
	marked := r.Wanted.Seq
	must(t, r.Find(r.Ver, main, "c10", "d10", false, at(3), at(3)))
	if !r.Wanted.Forced {
		t.Fatal("forced is gone although nothing was applied in between")
	}
	must(t, r.Take("run", at(4), at(60)))
	must(t, r.Finish(r.Lock.Fence, Done{Seq: marked, Digest: "d9"})) // a run that had read the older one
	if !r.Wanted.Forced {
		t.Fatal("forced is gone although what is wanted is not done")
	}
	must(t, r.Finish(r.Lock.Fence, Done{Seq: r.Wanted.Seq, Digest: "d10"}))
	if r.Wanted.Forced {
		t.Error("forced outlives what it marked")
	}
	must(t, r.Find(r.Ver, main, "c11", "d11", false, at(5), at(5)))
	if r.Wanted.Forced {
		t.Error("a later commit is marked as forced")
	}
}

func TestForcedOfAMoveThatChangesNothingIsNotHandedOn(t *testing.T) {
	r := wanting(t)
	finish(t, r, at(1))
	must(t, r.Find(r.Ver, main, "c9", "d1", true, at(2), at(2))) // forced back to equal content: nothing to apply
	must(t, r.Find(r.Ver, main, "c10", "d10", false, at(3), at(3)))
	if r.Wanted.Forced {
		t.Error("the next commit is marked as forced")
	}
}

func TestASuspectKeepsTheTimeOfItsFirstLook(t *testing.T) { // rule 5: 60 s between the two reads
	r := wanting(t)
	must(t, r.Suspects(r.Ver, main, "c0", at(1)))
	ver := r.Ver
	must(t, r.Suspects(r.Ver, main, "c0", at(50)))
	if s := r.Wanted.Suspect[main.String()]; s.Tip != "c0" || !s.Seen.Equal(at(1)) || r.Ver != ver {
		t.Errorf("a second look at one tip: %+v, ver %d after %d", s, r.Ver, ver)
	}
	must(t, r.Suspects(r.Ver, main, "cx", at(55)))
	if s := r.Wanted.Suspect[main.String()]; s.Tip != "cx" || !s.Seen.Equal(at(55)) || r.Ver <= ver {
		t.Errorf("a look at another tip: %+v", s)
	}
	must(t, r.Suspects(r.Ver, other, "v0", at(56)))
	must(t, r.Clear(r.Ver, main, at(57)))
	if _, ok := r.Wanted.Suspect[main.String()]; ok || len(r.Wanted.Suspect) != 1 {
		t.Errorf("cleared one of two: %+v", r.Wanted.Suspect)
	}
	must(t, r.Find(r.Ver, other, "v1", "d2", false, at(58), at(58)))
	if len(r.Wanted.Suspect) != 0 {
		t.Errorf("going to a tip leaves its suspect: %+v", r.Wanted.Suspect)
	}
}

func TestClearingNothingWritesNothing(t *testing.T) {
	r := wanting(t)
	before := *r
	must(t, r.Clear(r.Ver, main, at(9)))
	if diff := cmp.Diff(before, *r); diff != "" {
		t.Error(diff)
	}
}

func TestARefusalLeavesTheLastGoodWanted(t *testing.T) {
	r := wanting(t)
	want, ver := r.Wanted, r.Ver
	must(t, r.Refuse(ver, main, "c2", "two files of one name", at(3)))
	if diff := cmp.Diff(want, r.Wanted); diff != "" || r.Ver != ver {
		t.Error(diff, r.Ver)
	}
	if diff := cmp.Diff(Refusal{Source: main.String(), Rev: "c2", Reason: "two files of one name", At: at(3)}, r.Refused); diff != "" {
		t.Error(diff)
	}
	must(t, r.Find(r.Ver, main, "c3", "d3", false, at(4), at(4)))
	if r.Refused != (Refusal{}) {
		t.Error("a good revision leaves the refusal")
	}
}

func TestWritesDoNotReachIntoCopiesOfTheRecord(t *testing.T) { // a state adapter hands out copies and keeps its own
	r := wanting(t)
	must(t, r.Suspects(r.Ver, other, "v0", at(1)))
	kept := *r
	revs, suspects := len(kept.Wanted.Revs), len(kept.Wanted.Suspect)
	must(t, r.Find(r.Ver, other, "v1", "d2", false, at(2), at(2)))
	must(t, r.Suspects(r.Ver, main, "c0", at(3)))
	must(t, r.Clear(r.Ver, main, at(4)))
	if len(kept.Wanted.Revs) != revs || len(kept.Wanted.Suspect) != suspects {
		t.Errorf("the copy changed: %+v", kept.Wanted)
	}
}

func TestCountersAreNeverReused(t *testing.T) { // rule 2; dropped: P1 for ever, P2 after 13 steps, P3 after 38
	for _, tt := range []struct {
		name string
		last uint64
		now  time.Time
	}{
		{"a new record starts at the clock", 0, noon},
		{"the clock goes on", uint64(noon.UnixNano()) - 5, noon},
		{"the clock stands still", uint64(noon.UnixNano()), noon},
		{"the clock went back", uint64(noon.UnixNano()) + 1e12, noon},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := Next(tt.last, tt.now)
			if n <= tt.last || n < uint64(tt.now.UnixNano()) {
				t.Errorf("%d after %d", n, tt.last)
			}
		})
	}
}
