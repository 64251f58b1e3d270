package drift

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// work is what a sweep has found to look at in one application.
type work struct {
	ids  []manifest.ID
	all  bool          // the inventory is lost: every object of the set is a suspect
	over []manifest.ID // found before, and not so any more
	tidy bool          // something kept is too old
}

func (w *work) nothing() bool { return len(w.ids)+len(w.over) == 0 && !w.all && !w.tidy }

// add is what was found twice as one.
func (w *work) add(other work) {
	w.ids, w.over = union(w.ids, other.ids), union(w.over, other.over)
	w.all, w.tidy = w.all || other.all, w.tidy || other.tidy
}

// union keeps the order. Thousands of objects of one application change at once where a namespace goes.
func union(a, b []manifest.ID) []manifest.ID {
	if len(b) == 0 {
		return a
	}
	in := make(map[manifest.ID]bool, len(a)+len(b))
	for _, id := range a {
		in[id] = true
	}
	for _, id := range b {
		if !in[id] {
			in[id] = true
			a = append(a, id)
		}
	}
	return a
}

// verdict is what came of one application's suspects.
type verdict struct {
	judged, healed int
	findings       []Finding
	again          []manifest.ID // could not be judged or healed just now
	noted          bool          // something of it is kept in the state
}

// saveTime is for storing what was found when the run's own time is over.
const saveTime = 5 * time.Second

// lastLook is the least time in which another object is looked at: a write that is cut off makes the next sync touch
// everything.
const lastLook = 5 * time.Second

// settle judges suspects under the application's lock and heals what may be healed. What was found and healed is stored
// whatever ends it: a heal that is forgotten would be made again too early.
func (d *Drift) settle(ctx context.Context, name app.Name, w *work) (v verdict, err error) {
	err = d.Holder.Hold(ctx, name, func(ctx context.Context, h *deploy.Held) (err error) {
		state, err := d.Of(ctx, name)
		if err != nil {
			return err
		}
		before := state.text()
		state.renew(h.Seq())
		ids := ordered(h, w)
		defer func() {
			state.merge(w.over, ids[:v.judged], v.findings)
			text := state.trim(time.Now()).text()
			if v.noted = text != ""; text == before {
				return
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
			defer cancel()
			err = errors.Join(err, d.save(ctx, name, text))
		}()
		return d.judgeAll(ctx, h, ids, &state, &v)
	})
	return v, err
}

// judgeAll looks at one object after the other. A cluster that fails for two of them would fail for all.
func (d *Drift) judgeAll(ctx context.Context, h *deploy.Held, ids []manifest.ID, state *State, v *verdict) error {
	extras := 0
	for _, id := range ids {
		if !h.Has(id) {
			extras++
		}
	}
	tooMany := h.TooMany(extras)
	away := 0
	for _, id := range ids {
		if end, ok := ctx.Deadline(); ok && v.judged > 0 && time.Until(end) < lastLook {
			return fault.New(fault.Unfinished, "judge: %d of %d suspects are left to the next sweep", len(ids)-v.judged, len(ids))
		}
		j, err := judgeAndHeal(ctx, h, id, state.Heals, tooMany)
		if fault.Is(err, fault.Unavailable) {
			away++
		}
		if fault.Is(err, fault.Superseded) || ctx.Err() != nil || away > 1 {
			return cmp.Or(err, ctx.Err())
		}
		if err != nil {
			j.failed(err)
		}
		if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Conflict) {
			v.again = append(v.again, id)
		}
		if j.Outcome == Drifted && !j.Healed && j.live != nil {
			h.Doubt(id, manifest.MetadataOf(j.live))
		}
		v.judged++
		if j.Healed {
			v.healed++
		}
		v.findings = append(v.findings, j.findings()...)
		state.know(id, &j)
	}
	return nil
}

// judgeAndHeal starts again when a controller writes between what is read and what is written.
func judgeAndHeal(ctx context.Context, h *deploy.Held, id manifest.ID, past memory, tooMany error) (j judged, err error) {
	for range looks {
		j, err = judge(ctx, h, id)
		switch {
		case err != nil || j.Outcome == InSync || j.Outcome == Touched:
			return j, err
		case j.Outcome == Extra && tooMany != nil:
			j.Because = manifest.CleanText(tooMany.Error(), reasonCap)
			return j, nil
		}
		if err = heal(ctx, h, &j, past); !fault.Is(err, fault.Conflict) {
			return j, err
		}
		h.Changed()
	}
	return j, err
}

// failed keeps what was found if only the heal failed.
func (j *judged) failed(err error) {
	if j.Outcome == InSync || j.Outcome == Touched {
		j.Outcome = Unknown
	}
	j.Because = manifest.CleanText(err.Error(), reasonCap)
}

// findings are what is reported of an object: its drift, and apart from it what others added and is still there.
func (j *judged) findings() []Finding {
	var out []Finding
	if j.Outcome != InSync && j.Outcome != Touched {
		out = append(out, j.Finding)
	}
	if j.Outcome == Drifted && len(j.added) > 0 && !(j.blocked && !j.Healed) {
		out = append(out, Finding{ID: j.ID, Outcome: Foreign, Fields: foreignFields(j.live, j.added), Seen: j.Seen})
	}
	return out
}

// ordered are the suspects as they are applied: a Namespace before what is in it, then what is in no set.
func ordered(h *deploy.Held, w *work) []manifest.ID {
	var out, extra []manifest.ID
	suspect := make(map[manifest.ID]bool, len(w.ids))
	for _, id := range w.ids {
		suspect[id] = true
		if !h.Has(id) {
			extra = append(extra, id)
		}
	}
	for _, id := range h.Items() {
		if w.all || suspect[id] {
			out = append(out, id)
		}
	}
	slices.SortFunc(extra, func(a, b manifest.ID) int { return cmp.Compare(a.String(), b.String()) })
	manifest.PruneOrder(extra)
	return append(out, extra...)
}
