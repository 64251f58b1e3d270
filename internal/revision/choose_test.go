package revision_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	. "slipway/internal/revision"
)

var (
	shaA = SHA(strings.Repeat("a", 40))
	shaB = SHA(strings.Repeat("b", 40))
	shaC = SHA(strings.Repeat("c", 40))
	noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
)

// The truth table of faults C.3 as the protocol's rules 3 to 5 amend it.
func TestChoose(t *testing.T) {
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	for _, tc := range []struct {
		name  string
		in    Look
		want  Action
		after time.Duration
	}{
		{"goes to the tip when nothing was wanted", Look{Tip: shaA}, Go, 0},
		{"goes to the tip when nothing was wanted, whatever the relation says", Look{Tip: shaA, Relation: Diverged}, Go, 0},
		{"goes to a tip that is ahead", Look{Wanted: shaA, Tip: shaB, Relation: Ahead}, Go, 0},
		{"goes ahead although another tip is suspect", Look{Wanted: shaA, Tip: shaB, Relation: Ahead, SuspectTip: shaC, SuspectSeen: ago(time.Hour)}, Go, 0},
		{"goes ahead unforced although this tip was suspect", Look{Wanted: shaA, Tip: shaB, Relation: Ahead, SuspectTip: shaB, SuspectSeen: ago(time.Hour)}, Go, 0},
		{"skips what is wanted", Look{Wanted: shaA, Tip: shaA, Relation: Identical}, Skip, 0},
		{"skips what is wanted without asking for the relation", Look{Wanted: shaA, Tip: shaA}, Skip, 0},
		{"skips what is wanted although it was suspect", Look{Wanted: shaA, Tip: shaA, SuspectTip: shaA, SuspectSeen: ago(time.Hour)}, Skip, 0},
		{"skips a ref that is gone", Look{Wanted: shaA}, Skip, 0},
		{"skips a ref that is gone before anything was wanted", Look{}, Skip, 0},

		{"suspects a tip that is behind", Look{Wanted: shaB, Tip: shaA, Relation: Behind}, Suspect, 60 * time.Second},
		{"suspects a tip that is beside", Look{Wanted: shaB, Tip: shaA, Relation: Diverged}, Suspect, 60 * time.Second},
		{"suspects a tip of which nothing is known", Look{Wanted: shaB, Tip: shaA}, Suspect, 60 * time.Second},
		{"suspects a tip that is called identical and is another commit", Look{Wanted: shaB, Tip: shaA, Relation: Identical}, Suspect, 60 * time.Second},
		{"starts anew when the suspect was another tip", Look{Wanted: shaB, Tip: shaA, Relation: Behind, SuspectTip: shaC, SuspectSeen: ago(time.Hour)}, Suspect, 60 * time.Second},
		{"waits for the rest of the minute", Look{Wanted: shaB, Tip: shaA, Relation: Behind, SuspectTip: shaA, SuspectSeen: ago(20 * time.Second)}, Suspect, 40 * time.Second},
		{"waits for the last millisecond", Look{Wanted: shaB, Tip: shaA, Relation: Diverged, SuspectTip: shaA, SuspectSeen: ago(60*time.Second - time.Millisecond)}, Suspect, time.Millisecond},
		{"waits a minute at most when the clock was set back", Look{Wanted: shaB, Tip: shaA, Relation: Behind, SuspectTip: shaA, SuspectSeen: noon.Add(time.Hour)}, Suspect, 60 * time.Second},
		{"goes back, marked, after a minute", Look{Wanted: shaB, Tip: shaA, Relation: Behind, SuspectTip: shaA, SuspectSeen: ago(60 * time.Second)}, GoForced, 0},
		{"goes beside, marked, after a minute", Look{Wanted: shaB, Tip: shaA, Relation: Diverged, SuspectTip: shaA, SuspectSeen: ago(2 * time.Minute)}, GoForced, 0},
		{"goes, marked, where nothing is known, after a minute", Look{Wanted: shaB, Tip: shaA, SuspectTip: shaA, SuspectSeen: ago(time.Minute)}, GoForced, 0},

		{"waits for a host behind its webhook that shows what is wanted", Look{Wanted: shaA, Tip: shaA, Hint: shaB, HintRelation: Ahead}, Wait, 500 * time.Millisecond},
		{"waits for a host behind its webhook when nothing is wanted", Look{Tip: shaA, Hint: shaB, HintRelation: Ahead}, Wait, 500 * time.Millisecond},
		{"waits for a host behind its webhook that shows something newer", Look{Wanted: shaA, Tip: shaB, Relation: Ahead, Hint: shaC, HintRelation: Ahead}, Wait, 500 * time.Millisecond},
		{"waits before it suspects", Look{Wanted: shaB, Tip: shaA, Relation: Behind, Hint: shaB, HintRelation: Ahead, HintAge: time.Second}, Wait, time.Second},
		{"waits twice as long each time", Look{Wanted: shaA, Tip: shaA, Hint: shaB, HintRelation: Ahead, HintAge: 4 * time.Second}, Wait, 4 * time.Second},
		{"waits 20 s in all", Look{Wanted: shaA, Tip: shaA, Hint: shaB, HintRelation: Ahead, HintAge: 16 * time.Second}, Wait, 4 * time.Second},
		{"waits also when the clocks of webhook and fetch differ", Look{Wanted: shaA, Tip: shaA, Hint: shaB, HintRelation: Ahead, HintAge: -time.Hour}, Wait, 500 * time.Millisecond},
		{"goes on after 20 s with what the host says", Look{Wanted: shaA, Tip: shaB, Relation: Ahead, Hint: shaC, HintRelation: Ahead, HintAge: 20 * time.Second}, Go, 0},
		{"skips after 20 s when the host still shows what is wanted", Look{Wanted: shaA, Tip: shaA, Hint: shaB, HintRelation: Ahead, HintAge: time.Minute}, Skip, 0},
		{"suspects after 20 s when the host still shows something older", Look{Wanted: shaB, Tip: shaA, Relation: Behind, Hint: shaB, HintRelation: Ahead, HintAge: time.Minute}, Suspect, 60 * time.Second},
		{"does not wait for a hint that is the tip", Look{Wanted: shaA, Tip: shaB, Relation: Ahead, Hint: shaB, HintRelation: Ahead}, Go, 0},
		{"does not wait for a hint that is behind: a late delivery", Look{Wanted: shaB, Tip: shaB, Hint: shaA, HintRelation: Behind}, Skip, 0},
		{"does not wait for a hint beside the tip", Look{Wanted: shaA, Tip: shaB, Relation: Ahead, Hint: shaC, HintRelation: Diverged}, Go, 0},
		{"does not wait for a hint that the host does not have", Look{Wanted: shaA, Tip: shaB, Relation: Ahead, Hint: shaC}, Go, 0},
		{"goes nowhere by the hint of a set-back branch alone", Look{Wanted: shaB, Tip: shaA, Relation: Behind, Hint: shaA, HintRelation: Identical}, Suspect, 60 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.Now = noon
			got := Choose(tc.in)
			if got.Action != tc.want || got.After != tc.after {
				t.Errorf("got %v after %v, want %v after %v", got.Action, got.After, tc.want, tc.after)
			}
			if got.Because == "" {
				t.Error("the decision does not say why")
			}
		})
	}
}

// Every combination of the inputs that Choose can tell apart, against the rules said once more and otherwise.
func TestChooseKeepsItsPromisesForEveryLook(t *testing.T) {
	shas := []SHA{"", shaA, shaB, shaC}
	relations := []Relation{"", Identical, Ahead, Behind, Diverged, "unheard of"}
	seen := []time.Time{{}, noon.Add(-61 * time.Second), noon.Add(-59 * time.Second), noon.Add(time.Hour)}
	ages := []time.Duration{-time.Second, 0, 19 * time.Second, 21 * time.Second}
	n := 0
	for _, wanted := range shas {
		for _, tip := range shas {
			for _, rel := range relations {
				for _, suspect := range shas {
					for _, at := range seen {
						for _, hint := range shas {
							for _, hintRel := range relations {
								for _, age := range ages {
									in := Look{Wanted: wanted, Tip: tip, Relation: rel, SuspectTip: suspect, SuspectSeen: at, Now: noon, Hint: hint, HintRelation: hintRel, HintAge: age}
									if err := promises(in, Choose(in)); err != nil {
										t.Fatalf("%v: %+v gives %+v", err, in, Choose(in))
									}
									n++
								}
							}
						}
					}
				}
			}
		}
	}
	if n != 4*4*6*4*4*4*6*4 {
		t.Errorf("looked at %d combinations", n)
	}
}

func promises(in Look, d Decision) error {
	back := d.Action == Suspect || d.Action == Wait
	switch {
	case back != (d.After > 0):
		return fmt.Errorf("a move comes back after a time, and only one that comes back")
	case d.Action == Wait && (in.HintAge >= HintWait || in.HintAge+d.After > HintWait && in.HintAge >= 0):
		return fmt.Errorf("waits longer than %s for the host", HintWait)
	case d.Action == Suspect && d.After > Stale:
		return fmt.Errorf("a suspect waits longer than %s", Stale)
	case d.Action == Go && in.Wanted != "" && in.Relation != Ahead:
		return fmt.Errorf("goes unmarked to a tip that is not ahead")
	case d.Action == GoForced && (in.SuspectTip != in.Tip || in.Now.Sub(in.SuspectSeen) < Stale):
		return fmt.Errorf("goes back after one look")
	case d.Action == GoForced && (in.Wanted == "" || in.Relation == Ahead):
		return fmt.Errorf("marks as forced what is not")
	case (d.Action == Go || d.Action == GoForced || d.Action == Suspect) && (in.Tip == "" || in.Tip == in.Wanted):
		return fmt.Errorf("writes what is wanted already or no commit at all")
	}
	return nil
}

func ExampleChoose() {
	d := Choose(Look{Wanted: shaB, Tip: shaA, Relation: Behind, Now: noon})
	fmt.Println(d.Action, "in", d.After, "because", d.Because)
	d = Choose(Look{Wanted: shaB, Tip: shaA, Relation: Behind, SuspectTip: shaA, SuspectSeen: noon.Add(-time.Minute), Now: noon})
	fmt.Println(d.Action, "because", d.Because)
	// Output:
	// suspect in 1m0s because aaaaaaa is behind the wanted bbbbbbb: a stale read or a force-push
	// go forced because the branch was set back: aaaaaaa is behind bbbbbbb and stayed
}
