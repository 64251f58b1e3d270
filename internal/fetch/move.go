package fetch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/revision"
)

// run is one move's way. One goroutine drives it; what is asked at the same time is asked in each.
type run struct {
	*Fetch
	move     revision.Move
	relation map[[2]revision.SHA]revision.Relation
	cuts     map[cutKey]piece
}

// Move brings every application that follows what moved to its tip: written as wanted, or remembered as suspect, or
// refused with the reason, and its sync woken where something is wanted and not done (rules 3 to 8). The hint in the
// move decides nothing; at most it says that the host is behind.
//
// nil means the move may be acknowledged. Busy, with fault.After, asks for it back: the host is behind its own webhook
// (20 s in all), or the tip is no descendant of what is wanted and is to be seen again after 60 s. Other errors are of
// the host or the state, and one application's do not keep the others.
func (f *Fetch) Move(ctx context.Context, m revision.Move) error {
	ctx, cancel := context.WithTimeout(ctx, moveTime)
	defer cancel()
	r := &run{Fetch: f, move: m, relation: map[[2]revision.SHA]revision.Relation{}, cuts: map[cutKey]piece{}}
	var again []app.Name // none the first time: all that the move covers
	var failed []error
	wait := time.Duration(0)
	why := ""
	for range tries {
		looks, err := r.read(ctx, again)
		failed = append(failed, err)
		r.ask(ctx, looks)
		r.cut(ctx, looks)
		r.settle(ctx, looks)
		again = nil
		for _, l := range looks {
			switch {
			case fault.Is(l.err, fault.Conflict):
				again = append(again, l.name)
			case l.err != nil:
				failed = append(failed, fmt.Errorf("fetch %s for %s: %w", l.source, l.name, l.err))
			case l.decision.After > 0 && (wait == 0 || l.decision.After < wait):
				wait, why = l.decision.After, l.decision.Because
			}
		}
		if len(again) == 0 {
			break
		}
	}
	for _, n := range again {
		failed = append(failed, fault.Later(fault.Busy, time.Second, fmt.Errorf("fetch %s at %s for %s: its record changed %d times meanwhile", m.Repository, m.Ref, n, tries)))
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	if wait > 0 {
		return fault.Later(fault.Busy, wait, fmt.Errorf("fetch %s at %s: %s", m.Repository, m.Ref, why))
	}
	return nil
}
