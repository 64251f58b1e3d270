package record

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
)

func called(fence uint64) string { return fmt.Sprint("web-", fence) }

// rolling is a record whose execution runs revision r1, claimed by its attempt 1.
func rolling(t *testing.T) (*Rollout, Attempt) {
	t.Helper()
	r := &Rollout{Rollout: "c/shop/web"}
	must(t, r.Start(0, "r1", called, noon))
	a := Attempt{Fence: r.Fence, Number: 1, Call: "x"}
	must(t, r.Claim(a))
	return r, a
}

// later is the next attempt of the same execution.
func later(a Attempt) Attempt { return Attempt{a.Fence, a.Number + 1, "y"} }

// unchanged holds that a refusal leaves the record as it was.
func unchanged(t *testing.T, r *Rollout, kind fault.Kind, do func() error) {
	t.Helper()
	before := *r
	refused(t, do(), kind)
	if diff := cmp.Diff(before, *r); diff != "" {
		t.Error(diff)
	}
}

func TestAStartIsNamedOnceAndOnWhatWasRead(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(*Rollout)
		read     func(fence uint64) uint64
		revision string
		want     fault.Kind
		ok       bool
	}{
		"another revision":                 {revision: "r2", ok: true},
		"the same revision":                {revision: "r1", want: fault.Superseded},
		"an older read":                    {revision: "r2", read: func(f uint64) uint64 { return f - 1 }, want: fault.Conflict},
		"a record that came since":         {revision: "r2", read: func(uint64) uint64 { return 0 }, want: fault.Conflict},
		"a rejected revision":              {revision: "bad", change: func(r *Rollout) { r.Reject("bad") }, want: fault.Invalid},
		"an older rejected revision":       {revision: "bad", change: func(r *Rollout) { r.Reject("bad"); r.Reject("worse") }, want: fault.Invalid},
		"while a promotion is under way":   {revision: "r2", change: func(r *Rollout) { r.Stage = Promoting }, want: fault.Busy},
		"while it is being rolled back":    {revision: "r2", change: func(r *Rollout) { r.Stage = Aborting }, ok: true},
		"after it was rolled back":         {revision: "r2", change: func(r *Rollout) { r.Stage = Aborted }, ok: true},
		"after it was promoted":            {revision: "r2", change: func(r *Rollout) { r.Stage = Healthy }, ok: true},
		"the same one after it was undone": {revision: "r1", change: func(r *Rollout) { r.Stage = Aborted; r.Reject("r1") }, want: fault.Superseded},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := rolling(t)
			if c.change != nil {
				c.change(r)
			}
			before, read := *r, r.Fence
			if c.read != nil {
				read = c.read(read)
			}
			err := r.Start(read, c.revision, called, noon)
			if !c.ok {
				refused(t, err, c.want)
				if diff := cmp.Diff(before, *r); diff != "" {
					t.Error(diff)
				}
				return
			}
			must(t, err)
			if r.Fence <= before.Fence || r.Execution != called(r.Fence) || r.Revision != "r2" || r.Stage != Running || r.Step != 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestAStartForgetsAllButWhatOutlivesExecutions(t *testing.T) {
	r, a := rolling(t)
	must(t, r.Know(a, "abc"))
	_, err := r.ClaimWait(later(a), 2, "wait-1")
	must(t, err)
	must(t, r.Abort(r.Fence, "no"))
	r.Reject("bad")
	must(t, r.Start(r.Fence, "r2", called, noon))
	want := Rollout{
		Rollout: "c/shop/web", Fence: r.Fence, Execution: called(r.Fence), Revision: "r2", Stage: Running,
		Rejected: []string{"bad"}, Left: []string{"wait-1"},
	}
	if diff := cmp.Diff(want, *r); diff != "" {
		t.Error(diff)
	}
	r.Forget([]string{"wait-1"})
	if len(r.Left) != 0 {
		t.Errorf("%v is left", r.Left)
	}
}

func TestAPersonRetriesWhatWasRolledBack(t *testing.T) {
	for _, full := range []bool{false, true} {
		r, a := rolling(t)
		refused(t, r.Retry(r.Fence, "r1", full, called, noon), fault.Busy)
		must(t, r.ClaimRollback(later(a)))
		must(t, r.Settle(later(a), Aborted, "bad"))
		refused(t, r.Retry(r.Fence-1, "r1", full, called, noon), fault.Conflict)
		must(t, r.Retry(r.Fence, "r1", full, called, noon))
		if r.Stage != Running || (r.Verb == PromoteFull) != full || !r.Rejects("r1") {
			t.Errorf("%+v", r)
		}
	}
}

func TestAFenceIsNeverUsedAgainAfterTheRecordWasLost(t *testing.T) {
	r, _ := rolling(t)
	lost := &Rollout{}
	must(t, lost.Start(0, "r1", called, noon.Add(time.Nanosecond)))
	if lost.Fence <= r.Fence {
		t.Errorf("fence %d after %d", lost.Fence, r.Fence)
	}
}

func TestWhatWasAbortedBeforeTheRecordWasLostIsCleanedUp(t *testing.T) {
	r := &Rollout{Rollout: "c/shop/web"}
	must(t, r.Recall("r1", "it was aborted", noon))
	if r.Stage != Aborting || r.Execution != "" || r.Fence == 0 {
		t.Errorf("%+v", r)
	}
	unchanged(t, r, fault.Conflict, func() error { return r.Recall("r1", "it was aborted", noon) })
	unchanged(t, r, fault.Superseded, func() error { return r.Start(r.Fence, "r1", called, noon) })
	a, err := r.Janitor(r.Fence, "j", noon)
	must(t, err)
	must(t, r.Settle(a, Aborted, r.Why))
	if !r.Rejects("r1") {
		t.Errorf("%+v", r)
	}
}

func TestRejectedRevisionsAreBounded(t *testing.T) {
	r := &Rollout{}
	for i := range 30 {
		r.Reject(fmt.Sprint(i))
		r.Reject(fmt.Sprint(i))
	}
	if len(r.Rejected) != keptRevisions || r.Rejected[0] != "29" || r.Rejects("19") || !r.Rejects("20") {
		t.Errorf("%v", r.Rejected)
	}
}

func TestAHandOverKeepsWhatWasAskedFor(t *testing.T) {
	r, a := rolling(t)
	must(t, r.Full(r.Fence))
	b := later(a)
	must(t, r.Claim(b))
	unchanged(t, r, fault.Conflict, func() error { return r.HandOver(a, called, noon) })
	old := r.Fence
	must(t, r.HandOver(b, called, noon))
	if r.Fence <= old || r.Execution != called(r.Fence) || r.Step != 0 || r.Verb != PromoteFull || r.Stage != Running || r.Revision != "r1" {
		t.Errorf("%+v", r)
	}
	refused(t, r.Claim(later(b)), fault.Superseded)
	c := Attempt{r.Fence, 1, "z"}
	must(t, r.ClaimRollback(c))
	refused(t, r.HandOver(c, called, noon), fault.Superseded)
}

func TestAStageHasEndedWhenNothingIsUnderWay(t *testing.T) {
	for stage, want := range map[Stage]bool{"": true, Healthy: true, Aborted: true, Running: false, Promoting: false, Aborting: false} {
		if stage.Ended() != want {
			t.Errorf("%q: %t", stage, !want)
		}
	}
}

func TestTheTwoWaysNotToGoForwardAreToldApart(t *testing.T) {
	r, a := rolling(t)
	r.Stage = Healthy
	if err := r.Claim(later(a)); !errors.Is(err, ErrSettled) {
		t.Error(err)
	}
	r.Stage = Aborted
	if err := r.Claim(later(a)); !errors.Is(err, ErrAborted) {
		t.Error(err)
	}
}
