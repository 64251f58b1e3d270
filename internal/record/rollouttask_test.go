package record

import (
	"errors"
	"testing"

	"slipway/internal/fault"
)

// kinds of claim, each as a task makes it.
var claims = map[string]func(*Rollout, Attempt) error{
	"look":     (*Rollout).Claim,
	"wait":     func(r *Rollout, a Attempt) error { _, err := r.ClaimWait(a, 0, "h"); return err },
	"promote":  (*Rollout).ClaimPromote,
	"rollback": (*Rollout).ClaimRollback,
}

func TestOnlyTheLatestAttemptOfTheNamedExecutionClaims(t *testing.T) {
	for kind, claim := range claims {
		for name, c := range map[string]struct {
			a    func(Attempt) Attempt
			want fault.Kind
			ok   bool
		}{
			"a later attempt":             {a: later, ok: true},
			"the same attempt once more":  {a: func(a Attempt) Attempt { return Attempt{a.Fence, a.Number, "again"} }, ok: true},
			"an older execution":          {a: func(a Attempt) Attempt { return Attempt{a.Fence - 1, 99, "x"} }, want: fault.Superseded},
			"a newer execution":           {a: func(a Attempt) Attempt { return Attempt{a.Fence + 1, 99, "x"} }, want: fault.Superseded},
			"an earlier attempt of three": {a: func(a Attempt) Attempt { return Attempt{a.Fence, 0, "x"} }, want: fault.Conflict},
		} {
			t.Run(kind+" "+name, func(t *testing.T) {
				r, a := rolling(t)
				b := c.a(a)
				err := claim(r, b)
				if !c.ok {
					refused(t, err, c.want)
					must(t, r.Holds(a))
					return
				}
				must(t, err)
				must(t, r.Holds(b))
				refused(t, r.Holds(a), fault.Conflict)
			})
		}
	}
}

func TestEachTaskClaimsInItsStagesOnly(t *testing.T) {
	settled, aborted := ErrSettled, ErrAborted
	for _, c := range []struct {
		stage Stage
		verb  Verb
		want  map[string]error
		after map[string]Stage
	}{
		{stage: Running, after: map[string]Stage{"promote": Promoting, "rollback": Aborting}},
		{stage: Running, verb: PromoteFull, after: map[string]Stage{"promote": Promoting, "rollback": Aborting}},
		{stage: Running, verb: Abort, want: map[string]error{"look": aborted, "wait": aborted, "promote": aborted}, after: map[string]Stage{"rollback": Aborting}},
		{stage: Promoting},
		{stage: Promoting, verb: PromoteFull},
		{stage: Aborting, want: map[string]error{"look": aborted, "wait": aborted, "promote": aborted}},
		{stage: Aborted, want: map[string]error{"look": aborted, "wait": aborted, "promote": aborted, "rollback": settled}},
		{stage: Healthy, want: map[string]error{"look": settled, "wait": settled, "promote": settled, "rollback": settled}},
	} {
		for kind, claim := range claims {
			r, a := rolling(t)
			r.Stage, r.Verb = c.stage, c.verb
			if err := claim(r, later(a)); !errors.Is(err, c.want[kind]) {
				t.Errorf("%s %s %s: %v, want %v", c.stage, c.verb, kind, err, c.want[kind])
			}
			want := c.stage
			if after := c.after[kind]; after != "" {
				want = after
			}
			if r.Stage != want {
				t.Errorf("%s %s %s: becomes %s, want %s", c.stage, c.verb, kind, r.Stage, want)
			}
		}
	}
}

func TestATaskThatGoesForwardStopsAtAnAbort(t *testing.T) {
	r, a := rolling(t)
	must(t, r.GoesOn(a))
	must(t, r.Abort(r.Fence, "no"))
	must(t, r.Holds(a))
	if err := r.GoesOn(a); !errors.Is(err, ErrAborted) {
		t.Errorf("goes on: %v", err)
	}
	r.Stage = Promoting // the abort came too late
	must(t, r.GoesOn(a))
	refused(t, r.GoesOn(later(a)), fault.Conflict)
}

func TestAWaitIsRegisteredUnlessItWasEndedBefore(t *testing.T) {
	r, a := rolling(t)
	wait := func(step int32) bool {
		t.Helper()
		a = later(a)
		decided, err := r.ClaimWait(a, step, "h")
		must(t, err)
		return decided
	}
	if wait(2) || r.Token != (Token{a.Number, 2, Pending, "h"}) {
		t.Fatalf("%+v", r.Token)
	}
	must(t, r.Promote(r.Fence, a.Number))
	if !wait(2) || r.Token != (Token{}) { // the second attempt of the same wait (rule 8)
		t.Errorf("a promote was forgotten: %+v", r.Token)
	}
	if wait(3) || r.Token.Answer != Pending {
		t.Errorf("the promote of step 2 ended step 3: %+v", r.Token)
	}
	must(t, r.Full(r.Fence))
	if !wait(4) {
		t.Error("a full promote was forgotten")
	}
}

func TestEveryClaimEndsTheWaitBeforeIt(t *testing.T) {
	for kind, claim := range claims {
		r, a := rolling(t)
		_, err := r.ClaimWait(later(a), 5, "old")
		must(t, err)
		seen := r.Token.Number
		must(t, claim(r, later(later(a))))
		if r.Token.Handle == "old" {
			t.Errorf("%s leaves the token: %+v", kind, r.Token)
		}
		if err := r.Promote(r.Fence, seen); err == nil {
			t.Errorf("%s: a dead wait was promoted", kind)
		}
	}
}

func TestTheLastWriteIsOnConditionOfTheAttempt(t *testing.T) {
	for _, end := range []Stage{Healthy, Aborted} {
		r, a := rolling(t)
		must(t, r.Full(r.Fence))
		r.Reject("r1")
		must(t, r.Claim(later(a)))
		for what, write := range map[string]func() error{
			"settle": func() error { return r.Settle(a, end, "x") }, "abandon": func() error { return r.Abandon(a) },
			"know": func() error { return r.Know(a, "h") }, "weighed": func() error { return r.Weighed(a, 10, noon) },
		} {
			before := *r
			refused(t, write(), fault.Conflict)
			if r.Stage != before.Stage || r.Hash != "" || !r.WeightAt.IsZero() {
				t.Errorf("%s by an earlier attempt: %+v", what, r)
			}
		}
		must(t, r.Know(later(a), "h"))
		must(t, r.Weighed(later(a), 10, noon))
		must(t, r.Settle(later(a), end, "it failed"))
		if r.Stage != end || r.Verb != "" || r.Rejects("r1") != (end == Aborted) || (r.Why == "it failed") != (end == Aborted) || r.Hash != "h" {
			t.Errorf("%+v", r)
		}
	}
}

func TestAPromotionThatDoesNotServeIsAbandoned(t *testing.T) {
	r, a := rolling(t)
	must(t, r.ClaimPromote(later(a)))
	must(t, r.ClaimRollback(later(later(a))))
	if r.Stage != Promoting {
		t.Fatalf("the claim of a rollback made it %s before anybody looked", r.Stage)
	}
	must(t, r.Abandon(later(later(a))))
	if r.Stage != Aborting {
		t.Errorf("it is %s", r.Stage)
	}
}
