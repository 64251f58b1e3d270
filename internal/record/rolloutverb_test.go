package record

import (
	"testing"

	"slipway/internal/fault"
)

// waiting is a record whose execution waits at step 2.
func waiting(t *testing.T) (*Rollout, Attempt) {
	t.Helper()
	r, a := rolling(t)
	_, err := r.ClaimWait(later(a), 2, "h")
	must(t, err)
	return r, later(a)
}

func TestAVerbIsHeardOnlyInTheExecutionThatWasSeen(t *testing.T) {
	verbs := map[string]func(*Rollout, uint64) error{
		"abort":   func(r *Rollout, read uint64) error { return r.Abort(read, "why") },
		"promote": func(r *Rollout, read uint64) error { return r.Promote(read, r.Token.Number) },
		"full":    (*Rollout).Full,
	}
	for _, c := range []struct {
		name string
		set  func(*Rollout)
		off  uint64
		want map[string]fault.Kind // absent: accepted
	}{
		{name: "running", set: func(*Rollout) {}},
		{name: "another execution", set: func(*Rollout) {}, off: 1, want: map[string]fault.Kind{"abort": fault.Conflict, "promote": fault.Conflict, "full": fault.Conflict}},
		{name: "promoting", set: func(r *Rollout) { r.Stage = Promoting }, want: map[string]fault.Kind{"abort": fault.Busy, "promote": fault.Busy, "full": fault.Busy}},
		{name: "aborting", set: func(r *Rollout) { r.Stage = Aborting }, want: map[string]fault.Kind{"abort": fault.Busy, "promote": fault.Busy, "full": fault.Busy}},
		{name: "aborted", set: func(r *Rollout) { r.Stage = Aborted }, want: map[string]fault.Kind{"abort": fault.Busy, "promote": fault.Busy, "full": fault.Busy}},
		{name: "healthy", set: func(r *Rollout) { r.Stage = Healthy }, want: map[string]fault.Kind{"abort": fault.Busy, "promote": fault.Busy, "full": fault.Busy}},
		{name: "an abort was accepted", set: func(r *Rollout) { must(t, r.Abort(r.Fence, "first")) }, want: map[string]fault.Kind{"promote": fault.Busy, "full": fault.Busy}},
		{name: "a promote was accepted", set: func(r *Rollout) { must(t, r.Promote(r.Fence, r.Token.Number)) }},
		{name: "nobody waits", set: func(r *Rollout) { r.Token = Token{} }, want: map[string]fault.Kind{"promote": fault.Busy}},
	} {
		for name, verb := range verbs {
			r, _ := waiting(t)
			c.set(r)
			err := verb(r, r.Fence-c.off)
			if kind, no := c.want[name]; no {
				refused(t, err, kind)
			} else if err != nil {
				t.Errorf("%s: %s: %v", c.name, name, err)
			}
		}
	}
}

func TestAPromoteIsBoundToTheTokenThatWasSeen(t *testing.T) {
	r, a := waiting(t)
	seen := r.Token.Number
	_, err := r.ClaimWait(later(a), 3, "next")
	must(t, err)
	refused(t, r.Promote(r.Fence, seen), fault.Busy)
	if r.Token.Answer != Pending {
		t.Errorf("%+v", r.Token)
	}
}

func TestAnAbortKeepsItsFirstReasonAndAnswersTheToken(t *testing.T) {
	r, _ := waiting(t)
	must(t, r.Abort(r.Fence, "first"))
	must(t, r.Abort(r.Fence, "second"))
	if r.Why != "first" || r.Token.Answer != Stopped || r.Verb != Abort {
		t.Errorf("%+v", r)
	}
}

func TestAnAbortOvertakesAPromoteThatNobodyActedOnYet(t *testing.T) {
	r, _ := waiting(t)
	must(t, r.Promote(r.Fence, r.Token.Number))
	must(t, r.Abort(r.Fence, "no"))
	if r.Verb != Abort {
		t.Errorf("%+v", r)
	}
}

func TestTheJanitorTakesAFenceOfItsOwn(t *testing.T) {
	for _, stage := range []Stage{Running, Promoting, Aborting} {
		r, a := waiting(t)
		r.Stage = stage
		old := r.Fence
		refused(t, janitor(r, old-1), fault.Superseded)
		must(t, janitor(r, old))
		if r.Fence <= old || r.Step != 1 || r.Token != (Token{}) || r.Left[0] != "h" || (r.Stage == Promoting) != (stage == Promoting) {
			t.Errorf("%s: %+v", stage, r)
		}
		refused(t, r.Claim(later(a)), fault.Superseded) // what is late of the old execution
		refused(t, janitor(r, old), fault.Superseded)   // the event a second time
		must(t, janitor(r, r.Fence))                    // the tick, after the first janitor died
	}
	for _, stage := range []Stage{Healthy, Aborted, ""} {
		r, _ := waiting(t)
		r.Stage = stage
		refused(t, janitor(r, r.Fence), fault.Superseded)
	}
}

func janitor(r *Rollout, read uint64) error {
	_, err := r.Janitor(read, "j", noon)
	return err
}

func TestOnlyWhatHasEndedIsTended(t *testing.T) {
	for stage, ok := range map[Stage]bool{Healthy: true, Aborted: true, Running: false, Promoting: false, Aborting: false, "": false} {
		r, _ := rolling(t)
		r.Stage = stage
		old := r.Fence
		a, err := r.Tend(old, "t", noon)
		if ok != (err == nil) {
			t.Errorf("%q: %v", stage, err)
		}
		if ok && (a.Fence <= old || r.Stage != stage || r.Holds(a) != nil) {
			t.Errorf("%q: %+v", stage, r)
		}
		_, err = r.Tend(old-1, "t", noon)
		refused(t, err, fault.Superseded)
	}
}
