package sim

import (
	"slices"
	"time"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/revision"
)

// history holds the invariants of the fault matrix against every event as it happens. It is called with the world locked.
type history struct {
	*world
	apps    map[app.Name]*past
	objects map[manifest.ID]uint64 // the newest fence that has written it
	stale   map[manifest.ID]bool   // created by a run that a newer one had replaced: the one write that cannot be refused
	broken  int
}

// past is what is remembered of an application.
type past struct {
	source  revision.Source
	applied revision.SHA // "" at first, and after the loss of the record
	fence   uint64       // of the newest run that has finished
	locked  uint64       // of the newest run
}

// breaks reports a broken invariant once and for all.
func (h *history) breaks(invariant, format string, args ...any) {
	h.broken++
	h.log("BROKEN "+invariant+": "+format, args...)
	if h.broken <= 3 {
		h.t.Errorf("seed %d after %s: "+invariant+": "+format, append([]any{h.seed, time.Since(began)}, args...)...)
	}
}

// recorded is told of each write of a record.
func (h *history) recorded(inv *invocation, before, after record.Record) {
	p := h.apps[app.Name(after.Application)]
	if after.Lock.Fence != before.Lock.Fence && after.Lock.Owner != "" {
		inv.fence, p.locked = after.Lock.Fence, after.Lock.Fence
		h.log("%s locks %s by fence %s, takeover from %s", inv.process.name, after.Application, short(inv.fence), short(after.Lock.Takeover))
	}
	src := p.source.String()
	if old, rev := before.Wanted.Revs[src], after.Wanted.Revs[src]; old != rev {
		h.log("%s wants %s instead of %s, seq %s%s", after.Application, rev.Short(), old.Short(), short(after.Wanted.Seq), either(after.Wanted.Forced, ", forced", ""))
		h.wanted(p, old, rev, after)
	}
	if after.Done.Seq != before.Done.Seq || !after.Done.At.Equal(before.Done.At) {
		rev, forced := after.Done.Revs[src], after.History[0].Forced
		h.log("%s is at %s, seq %s%s", after.Application, rev.Short(), short(after.Done.Seq), either(forced, ", forced", ""))
		// The same seq again, for a person, is the same content, though its revision may have moved meanwhile.
		if after.Done.Seq != before.Done.Seq && p.applied != "" && !h.forward(p.applied, rev) && !forced {
			h.breaks("I1", "%s went from %s to %s, which is not ahead of it, unmarked", after.Application, p.applied.Short(), rev.Short())
		}
		if inv.fence < p.fence {
			h.breaks("I2", "%s was finished by fence %s after %s", after.Application, short(inv.fence), short(p.fence))
		}
		p.applied, p.fence = rev, inv.fence
	}
	if after.Wanted.Seq == after.Done.Seq && after.Wanted.Seq != 0 { // equal content is applied content
		p.applied = after.Wanted.Revs[src]
	}
}

// wanted holds what is wanted to the order of the branch (I1, before anything is applied).
func (h *history) wanted(p *past, old, rev revision.SHA, after record.Record) {
	switch {
	case old == "" || h.forward(old, rev):
	case !after.Wanted.Forced:
		h.breaks("I1", "%s wants %s instead of %s, which is not ahead of it, unmarked", after.Application, rev.Short(), old.Short())
	case !h.git.after(p.source, rev, old):
		h.breaks("I1", "%s takes a stale read for a force-push: %s was never the tip after %s", after.Application, rev.Short(), old.Short())
	}
}

func (h *history) forward(from, to revision.SHA) bool { return h.git.ancestor(from, to) }

// wrote is told of each write to the cluster that took effect.
func (h *history) wrote(inv *invocation, id manifest.ID, created, deleted bool) {
	newest, p := h.objects[id], h.apps[appOf(id)]
	switch {
	case created && inv.fence < p.locked:
		h.log("%s was created by an old run", id)
		h.stale[id] = true
	case inv.fence < newest:
		h.breaks("I2", "%s was written by fence %s after %s", id.Name, short(inv.fence), short(newest))
	case inv.fence < p.fence:
		h.breaks("I2", "%s was written by fence %s though %s had finished", id.Name, short(inv.fence), short(p.fence))
	default:
		delete(h.stale, id)
	}
	h.objects[id] = max(newest, inv.fence)
	if deleted {
		h.pruned(inv, id)
	}
}

// pruned: a deletion comes after all applies of its run, and all of them succeeded (I4).
func (h *history) pruned(inv *invocation, id manifest.ID) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	for other, err := range inv.failed {
		h.breaks("I4", "%s was deleted though %s was not applied: %v", id.Name, other.Name, err)
	}
	for name, value := range inv.wanted {
		u := h.api.Live(idOf(name))
		if h.objects[idOf(name)] <= inv.fence && (u == nil || valueOf(u) != value) {
			h.breaks("I4", "%s was deleted before %s was applied", id.Name, name)
		}
	}
}

// lost: nothing is known of the application any more, but fences go on.
func (h *history) lost(name app.Name) { h.apps[name].applied = "" }

// begins and ends hold each group to one slot (I10): a message that fails, or hangs, keeps one worker and no more.
func (h *history) begins(inv *invocation, l *line) {
	for _, other := range l.running[inv.group] {
		if !other.process.dead && !other.over && time.Since(other.began) < l.visibility {
			h.breaks("I10", "%s takes a second slot: %s has worked on it for %s", inv.what, other.process.name, time.Since(other.began))
		}
	}
	l.running[inv.group] = append(l.running[inv.group], inv)
}

func (h *history) ends(inv *invocation, l *line) {
	l.running[inv.group] = slices.DeleteFunc(l.running[inv.group], func(o *invocation) bool { return o == inv })
}
