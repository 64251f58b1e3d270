package record

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"slipway/internal/fault"
	"slipway/internal/revision"
)

// Grace is added to a lease before another takes the lock, for clocks that differ (C.4: a wrong clock costs time, not
// correctness, because of the fence).
const Grace = 30 * time.Second

// Next is a counter value that was never used before, also after the record was lost: it starts at the clock (rule 2).
// Without it a run from before the loss may hold a fence that comes up again (P1, P2, P3 break).
func Next(last uint64, now time.Time) uint64 {
	return max(last+1, uint64(now.UnixNano())) //nolint:gosec // after 1970
}

// Find is what fetch writes when it goes to a tip (rules 3, 6, 7): the revision of one source, and a new seq only if
// the digest differs from the one already wanted (never from the done one: a push and its revert in flight would be
// lost). It refuses with Conflict unless ver is the one that was read before the tip was.
func (r *Record) Find(ver uint64, src revision.Source, tip revision.SHA, digest string, forced bool, received, now time.Time) error {
	if r.Ver != ver {
		return fault.New(fault.Conflict, "write wanted of %s: it changed while its tip was read", r.Application)
	}
	revs := map[string]revision.SHA{}
	maps.Copy(revs, r.Wanted.Revs)
	revs[src.String()] = tip
	w := Wanted{Revs: revs, Digest: digest, Seq: r.Wanted.Seq, Forced: r.Wanted.Forced, Suspect: maps.Clone(r.Wanted.Suspect), Since: r.Wanted.Since}
	delete(w.Suspect, src.String())
	if w.Digest != r.Wanted.Digest {
		w.Seq, w.Since = Next(max(w.Seq, r.Done.Seq), now), received.UnixMilli()
	}
	if r.Done.Seq == r.Wanted.Seq && r.Done.Seq != 0 { // rule 6: forced lives until what it marked is done
		w.Forced = false
	}
	w.Forced = w.Forced || forced
	r.Wanted, r.Ver = w, Next(r.Ver, now)
	r.Refused = Refusal{}
	return nil
}

// Suspects remembers a tip that is behind or beside what is wanted (rule 5). The time of the first look stays while
// the tip does.
func (r *Record) Suspects(ver uint64, src revision.Source, tip revision.SHA, now time.Time) error {
	if r.Ver != ver {
		return fault.New(fault.Conflict, "write suspect of %s: it changed while its tip was read", r.Application)
	}
	if s, ok := r.Wanted.Suspect[src.String()]; ok && s.Tip == tip {
		return nil
	}
	s := maps.Clone(r.Wanted.Suspect)
	if s == nil {
		s = map[string]Suspect{}
	}
	s[src.String()] = Suspect{Tip: tip, Seen: now}
	r.Wanted.Suspect, r.Ver = s, Next(r.Ver, now)
	return nil
}

// Clear forgets a suspect after the tip was found to be what is wanted (rule 4).
func (r *Record) Clear(ver uint64, src revision.Source, now time.Time) error {
	if r.Ver != ver {
		return fault.New(fault.Conflict, "clear suspect of %s: it changed while its tip was read", r.Application)
	}
	if _, ok := r.Wanted.Suspect[src.String()]; !ok {
		return nil
	}
	s := maps.Clone(r.Wanted.Suspect)
	delete(s, src.String())
	r.Wanted.Suspect, r.Ver = s, Next(r.Ver, now)
	return nil
}

// Refuse notes that a revision's inputs are no good. Wanted and ver stay: what is wanted is still the last good one.
func (r *Record) Refuse(ver uint64, src revision.Source, rev revision.SHA, reason string, now time.Time) error {
	if r.Ver != ver {
		return fault.New(fault.Conflict, "write refusal of %s: it changed while its tip was read", r.Application)
	}
	r.Refused = Refusal{Source: src.String(), Rev: rev, Reason: reason, At: now}
	return nil
}

// Pending reports whether a wake-up is due: something is wanted, not done (or asked for again by a person) and not given
// up (rules 8 and 16 b).
func (r *Record) Pending() bool {
	return r.Wanted.Seq != 0 && (r.Wanted.Seq != r.Done.Seq || r.Wanted.Seq == r.Requested) && r.Wanted.Seq != r.GivenUp
}

// Take gives the lock to owner until until (rule 9). A lock whose lease has not ended, grace included, is Busy, with
// the time left: coming back at once would livelock (P6). The new fence is in the record afterwards.
func (r *Record) Take(owner string, now, until time.Time) error {
	if r.Lock.Owner != "" && !r.Lock.Until.Before(now.Add(-Grace)) {
		left := r.Lock.Until.Add(Grace).Sub(now)
		return fault.Later(fault.Busy, max(left, time.Second), fault.New(fault.Busy, "lock %s: held by another run for %s", r.Application, left.Round(time.Second)))
	}
	fence := Next(r.Lock.Fence, now)
	takeover := r.Lock.Takeover
	if r.Lock.Owner != "" || !r.Lock.Clean && takeover == 0 { // rule 11: the last holder died, left something in flight, or is unknown
		takeover = fence
	}
	r.Lock = Lock{Owner: owner, Until: until, Fence: fence, Takeover: takeover}
	return nil
}

// Ask asks the holder of the lock to end in order. A free lock has nobody to ask.
func (r *Record) Ask() { r.Lock.Asked = r.Lock.Owner != "" }

// Holds reports whether fence still holds the lock (rules 10 and 12); Superseded if not.
func (r *Record) Holds(fence uint64) error {
	if r.Lock.Owner == "" || r.Lock.Fence != fence {
		return fault.New(fault.Superseded, "sync %s: a newer run holds the lock", r.Application)
	}
	return nil
}

// Finish writes done (rule 14) on condition that the fence still holds.
func (r *Record) Finish(fence uint64, d Done) error {
	if err := r.Holds(fence); err != nil {
		return err
	}
	r.Done = d
	if r.Requested == d.Seq {
		r.Requested = 0 // answered: the next request applies it once more
	}
	if r.Wanted.Seq == d.Seq {
		r.Wanted.Forced = false
	}
	return nil
}

// End is how a run leaves the lock.
type End uint8

// The ends. After Settled the next holder need not touch what is right already; after Partial it goes on where this
// one stopped; after InFlight, as after a death, it touches everything (rule 11).
const (
	InFlight End = iota // a write of this run may still arrive
	Partial             // ended in order, before all that a takeover asks for was touched
	Settled             // nothing in flight, nothing left to touch
)

// Release frees the lock (rule 14) on condition that the fence still holds. It tells whether something is wanted and
// not done by now, so that the caller queues a wake-up.
func (r *Record) Release(fence uint64, end End) (more bool, err error) {
	if err := r.Holds(fence); err != nil {
		return false, err
	}
	if end == Partial && r.Lock.Takeover == 0 {
		end = Settled // nothing was to be touched
	}
	l := Lock{Fence: fence, Clean: end == Settled}
	if end == Partial {
		l.Takeover = r.Lock.Takeover
	}
	r.Lock = l
	return r.Pending(), nil
}

// GiveUp stops the wake-ups of a seq: it was refused, or went to the dead letters. A newer wanted is not affected.
func (r *Record) GiveUp(seq uint64) {
	if r.Wanted.Seq == seq {
		r.GivenUp = seq
	}
}

// Request asks for what is wanted now, whatever happened to it before: slipway app sync.
func (r *Record) Request() {
	r.Requested, r.GivenUp = r.Wanted.Seq, 0
}

// Remember puts a run at the head of the history. A run that ends as the one before did, at the same seq and for the
// same reason, is counted there: a cluster that is away for a day must not push the last good run out.
func (r *Record) Remember(run Run) {
	run.Attempts, run.Notes = 1, fit(run.Notes)
	h := r.History
	if len(h) > 0 && run.Outcome != Applied && h[0].Outcome == run.Outcome && h[0].Seq == run.Seq && h[0].Reason == run.Reason {
		run.Attempts, run.Started = h[0].Attempts+1, h[0].Started
		h = h[1:]
	}
	h = append([]Run{run}, h...)
	r.History = h[:min(len(h), historyCap)]
}

// fit is notes, or as many of them as a record has room for and how many are left out: 2,000 objects may each be kept by
// somebody. Logs have them all.
func fit(notes []string) []string {
	size := 0
	for i, n := range notes {
		if size += len(n); size > notesCap {
			return append(slices.Clone(notes[:i]), fmt.Sprintf("and %d more", len(notes)-i))
		}
	}
	return notes
}

// Widen adds kinds to where this application's objects are looked for, before the first of them is written.
func (r *Record) Widen(fence uint64, kinds []string) error {
	if err := r.Holds(fence); err != nil {
		return err
	}
	for _, k := range kinds {
		if !slices.Contains(r.Kinds, k) {
			r.Kinds = append(r.Kinds, k)
		}
	}
	slices.Sort(r.Kinds)
	return nil
}

// Expire ends the lease of a holder that is known to be dead, so that nobody waits for it. The next holder takes over as
// after any death; only who knows that no other process can hold the lock may call it.
func (r *Record) Expire() {
	if r.Lock.Owner != "" {
		r.Lock.Until = time.Time{}
	}
}
