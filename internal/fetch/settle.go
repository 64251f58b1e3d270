package fetch

import (
	"context"
	"fmt"
	"maps"
	"time"

	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// settle writes each decision under the condition that the record is still the one that was read, then wakes the sync
// where something is wanted and not done (rules 3 and 8). A decision to skip stands under the same condition.
func (r *run) settle(ctx context.Context, looks []*look) {
	r.each(looks, func(l *look) {
		if l.decision.Action == revision.Wait && l.missing == nil {
			return
		}
		rec, err := r.Records.Update(ctx, l.name, func(rec *record.Record) error { return l.write(rec, r.move, time.Now()) })
		if err != nil {
			l.err = err
			return
		}
		if fault.Is(l.missing, fault.Denied) { // noted, and tried again: a token may be renewed
			l.err = l.missing
			return
		}
		if rec.Pending() && l.decision.After == 0 {
			l.err = r.Queue.Wake(ctx, l.name)
		}
	})
}

// write is the one conditional change of the record.
func (l *look) write(rec *record.Record, m revision.Move, now time.Time) error {
	ver := l.record.Ver
	switch {
	case fault.Is(l.missing, fault.Denied):
		return l.refuse(rec, "", "source unreadable: "+l.missing.Error(), now)
	case l.missing != nil:
		// The branch is gone, or is none of ours to follow. Nothing is pruned: what is wanted stays (faults C.6, 9).
		return l.refuse(rec, "", "source missing: "+l.missing.Error(), now)
	case l.piece != nil && l.piece.refused != nil:
		return l.refuse(rec, l.tip, l.piece.refused.Error(), now)
	case l.piece != nil:
		received := now
		if m.Received != 0 {
			received = time.UnixMilli(m.Received)
		}
		forced := l.decision.Action == revision.GoForced
		if err := rec.Find(ver, l.source, l.tip, l.piece.digest, forced, received, now); err != nil {
			return err
		}
		rec.Wanted.Declared = l.declared
		// An application has one source; what another one was at before it was declared anew is no longer wanted.
		maps.DeleteFunc(rec.Wanted.Revs, func(src string, _ revision.SHA) bool { return src != l.source.String() })
		maps.DeleteFunc(rec.Wanted.Suspect, func(src string, _ record.Suspect) bool { return src != l.source.String() })
		return nil
	case l.decision.Action == revision.Suspect:
		return rec.Suspects(ver, l.source, l.tip, l.seen)
	case l.decision.Action == revision.Skip:
		if err := rec.Clear(ver, l.source, now); err != nil {
			return err
		}
		rec.Refused = record.Refusal{} // what was refused is no longer the tip
		return nil
	}
	return fmt.Errorf("write wanted of %s: nothing was cut for decision %v", l.name, l.decision.Action)
}

// refuse notes why there are no inputs. The look was a good one, so it contradicts a suspect as an equal tip does.
func (l *look) refuse(rec *record.Record, rev revision.SHA, reason string, now time.Time) error {
	if err := rec.Clear(l.record.Ver, l.source, now); err != nil {
		return err
	}
	if old := rec.Refused; old.Source == l.source.String() && old.Rev == rev && old.Reason == reason && old.Declared == l.declared {
		return nil
	}
	if err := rec.Refuse(rec.Ver, l.source, rev, reason, now); err != nil {
		return err
	}
	rec.Refused.Declared = l.declared
	return nil
}

// settled reports whether a tip needs no look: it is wanted as declared, or it was refused as declared.
func settled(rec record.Record, d declaration, tip revision.SHA) bool {
	src := d.source.String()
	if rec.Refused.Source == src && rec.Refused.Rev == tip && rec.Refused.Declared == d.digest {
		return true
	}
	return tip != "" && rec.Wanted.Revs[src] == tip && rec.Wanted.Declared == d.digest && rec.Refused.Reason == ""
}

// due reports whether the sweep should wake the application's sync (rule 16 b): not one that waits for a person.
func due(rec record.Record, d declaration) bool {
	return rec.Pending() && (d.application.Sync.Automated || rec.Requested == rec.Wanted.Seq)
}
