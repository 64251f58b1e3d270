package drift

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/manifest"
)

const (
	refreshLeast = time.Second      // between two looks for new applications and new kinds
	refreshMost  = 10 * time.Second // where the records take long to read
	refreshShare = 500              // of the time goes into reading them: one part in so many; each record read costs

	sweepPause = 2 * time.Second  // between two sweeps that watches ask for, twofold each time
	sweepMost  = time.Minute      // as in sweep mode
	sweepAgain = 15 * time.Second // after one that did not see all, at least
)

func (w *watch) wantSweep() {
	select {
	case w.sweepAt <- struct{}{}:
	default: // one is wanted already
	}
}

// tend looks for what is new, and sweeps when that is wanted: at first, when a watch was too far behind, and when a sync
// has brought a kind that is not watched.
func (w *watch) tend(ctx, stop context.Context) {
	t := time.NewTimer(refreshLeast)
	defer t.Stop()
	wanted := w.sweepAt
	paused := time.NewTimer(0)
	defer paused.Stop()
	for wait := sweepPause; ; {
		select {
		case <-stop.Done():
			return
		case <-wanted:
			if !w.sweepOnce(ctx, stop) {
				wait = max(wait, sweepAgain)
				w.wantSweep()
			}
			wanted = nil // for a while
			paused.Reset(wait)
			wait = min(2*wait, sweepMost)
		case <-paused.C:
			wanted = w.sweepAt
		case <-t.C:
			begin := time.Now()
			kinds, err := w.refresh(ctx)
			w.tell("the records", err) // the next turn asks again
			next := min(max(refreshLeast, refreshShare*time.Since(begin)), refreshMost)
			if err == nil && w.missing(kinds) && !w.sweepOnce(ctx, stop) {
				w.wantSweep()
				if w.missing(kinds) { // nothing could be listed
					next = sweepAgain
				}
			}
			t.Reset(next)
		}
	}
}

// refresh reads which applications there are, and the kinds of their objects.
func (w *watch) refresh(ctx context.Context) ([]schema.GroupKind, error) {
	apps, kinds, err := w.here(ctx, w.cluster)
	if err != nil {
		return nil, err
	}
	names := make(map[string]app.Name, len(apps))
	for name := range apps {
		names[manifest.LabelFor(string(name))] = name
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names = names
	strange := w.strange
	w.strange = nil
	for _, s := range strange { // of whom no application is known now either, it is somebody else's
		w.note(s)
	}
	return kinds, nil
}

// sweepOnce sweeps, and watches from there what is not watched. It reports whether it saw all. A kind that the cluster does
// not know may come any moment: a sync notes the kinds of its set before it brings their CRDs.
func (w *watch) sweepOnce(ctx, stop context.Context) bool {
	rep, swept, err := w.sweep(ctx, w.cluster, w.connection, func(all map[app.Name]*work, _ *Report) error {
		for name, found := range all {
			if !found.nothing() {
				w.changed.find(name, *found)
			}
		}
		return nil
	})
	unknown := false
	for gk, version := range swept.Whole {
		w.follow(stop, gk, version)
		unknown = unknown || version == ""
	}
	for gk := range swept.Failed {
		w.follow(stop, gk, "") // it is not new any more
	}
	w.tell("the sweep", err)
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.report
	rep.Events, rep.Requests, rep.Bytes = was.Events, was.Requests+rep.Requests, was.Bytes+rep.Bytes
	rep.Judged, rep.Healed = was.Judged, was.Healed
	rep.Findings = was.Findings
	w.report = rep
	return !unknown && len(swept.Failed) == 0 && (err == nil || len(swept.Whole) > 0)
}

// newest are the last findings of each object, at most noteCap of them.
func newest(all []Located) []Located {
	type key struct {
		application string
		id          manifest.ID
		outcome     Outcome
	}
	last := map[key]int{}
	for i, f := range all {
		last[key{f.Application, f.ID, f.Outcome}] = i
	}
	var out []Located
	for i, f := range all {
		if last[key{f.Application, f.ID, f.Outcome}] == i {
			out = append(out, f)
		}
	}
	return out[max(0, len(out)-noteCap):]
}
