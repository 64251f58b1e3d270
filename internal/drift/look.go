package drift

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/ownership"
)

// judge looks at what has changed, a few applications side by side, until stop; what is begun is finished under ctx.
func (w *watch) judge(ctx, stop context.Context) {
	var g errgroup.Group
	g.SetLimit(judges)
	defer g.Wait() //nolint:errcheck // none of them fails
	for stop.Err() == nil {
		name, b, wait, ok := w.changed.next(time.Now())
		if !ok {
			t := time.NewTimer(wait)
			select {
			case <-stop.Done():
			case <-w.changed.woken:
			case <-t.C:
			}
			t.Stop()
			continue
		}
		g.Go(func() error {
			select {
			case <-stop.Done(): // while it waited for its turn: the successor need not wait for it too
				w.changed.putBack(name, b, 0)
				return nil
			default:
			}
			switch err := w.look(ctx, name, b); {
			case err == nil, fault.Is(err, fault.NotFound): // an application that is no more
				w.tell(string(name), nil)
				w.changed.done(name)
			case fault.Is(err, fault.Busy), fault.Is(err, fault.Unfinished):
				w.changed.putBack(name, b, againBusy)
			case fault.Is(err, fault.Superseded):
				w.changed.putBack(name, b, againDue)
			default:
				w.tell(string(name), err)
				w.changed.putBack(name, b, againError)
			}
			return nil
		})
	}
}

// look judges those objects of one application that are not as its inventory has them.
func (w *watch) look(ctx context.Context, name app.Name, b batch) error {
	rec, err := w.Records.Get(ctx, name)
	if err != nil {
		return fmt.Errorf("read record of %s: %w", name, err)
	}
	if !quiet(&rec, time.Now()) {
		if rec.Lock.Owner == "" {
			return fault.New(fault.Superseded, "judge %s: a sync is due", name)
		}
		return fault.New(fault.Busy, "judge %s: a sync is at work", name)
	}
	inv, err := inventory(ctx, w.Blobs, name, rec.Done.Inventory)
	if err != nil {
		return err
	}
	var right, wrong []manifest.ID
	for id, m := range b.marks {
		switch was, in := inv[id]; {
		case in && was == m:
			right = append(right, id)
		case in || m.UID != "":
			wrong = append(wrong, id)
		}
	}
	over, err := w.over(ctx, name, right)
	if err != nil {
		return err
	}
	found := work{all: inv == nil, ids: wrong, over: over}
	found.add(b.found)
	if !found.nothing() {
		if err := w.settleOne(ctx, name, &found, b.marks); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.fine) > knownCap*readers {
		clear(w.fine) // it only saves work
	}
	for _, id := range right {
		if w.fine[id] == (ownership.Mark{}) {
			w.fine[id] = b.marks[id]
		}
	}
	return nil
}

// over are the objects that were found not to be right, and are.
func (w *watch) over(ctx context.Context, name app.Name, right []manifest.ID) ([]manifest.ID, error) {
	if len(right) == 0 {
		return nil, nil
	}
	state, err := w.Of(ctx, name)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(right), func(id manifest.ID) bool {
		return !slices.ContainsFunc(state.Findings, func(f Finding) bool { return f.ID == id && f.Outcome != Foreign && !f.Healed })
	}), nil
}

// settleOne judges and heals, and comes back when a field's time to be healed has come, or what failed may work.
func (w *watch) settleOne(ctx context.Context, name app.Name, found *work, marks map[manifest.ID]ownership.Mark) error {
	v, err := w.settle(ctx, name, found)
	if v.noted || err == nil {
		err = errors.Join(err, w.reindex(ctx, w.cluster.Name, map[app.Name]bool{name: v.noted}))
	}
	for _, f := range v.findings {
		if !f.Wait.IsZero() {
			w.changed.later(name, f.ID, f.Wait)
		}
	}
	for _, id := range v.again {
		w.changed.later(name, id, time.Now().Add(againOne))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	left := map[manifest.ID]bool{}
	for _, f := range v.findings {
		left[f.ID] = left[f.ID] || f.Outcome != Foreign && (!f.Healed || !f.Wait.IsZero() || f.Fight != "")
	}
	for _, id := range found.ids {
		switch m := marks[id]; {
		case !left[id]:
			delete(w.open, id)
		case m.UID != "":
			w.open[id] = m
		}
	}
	w.report.add(name, v)
	w.report.Findings = newest(w.report.Findings)
	return err
}

// tell notes how something has gone; what goes well later is no error of the run any more.
func (w *watch) tell(what string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		delete(w.failed, what)
		return
	}
	w.failed[what] = err
}
