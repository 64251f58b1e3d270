package sim

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"slipway/internal/app"
	"slipway/internal/record"
)

// strike is what the nemesis does to a call.
type strike uint8

const (
	live      strike = iota
	dieBefore        // the process ends, and the request was not sent
	dieAfter         // the process ends, and the request was
)

// strike burns the fuses that the nemesis has lit: a crash or a pause comes at the call where one ends.
func (p *process) strike(key string, c call, inv *invocation) strike {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.theft > 0 && inv != nil && inv.fence != 0 {
		if p.theft--; p.theft == 0 {
			name := app.Name(strings.Trim(strings.TrimPrefix(inv.what, `syncs {"application":`), `"}`))
			p.frozen = time.Now().Add(min(p.within(15*time.Second, 100*time.Second, key, "theft"), time.Until(p.calm)))
			p.log("%s is paused before %s for %s, and the lock of %s is stolen", p.name, c, time.Until(p.frozen), name)
			p.background.Go(func() { p.steal(name, key) })
		}
	}
	if p.frost > 0 {
		if p.frost--; p.frost == 0 {
			p.frozen = time.Now().Add(min(p.frostTime, time.Until(p.calm)))
			p.log("%s is paused before %s for %s", p.name, c, time.Until(p.frozen))
		}
	}
	if p.dead || p.fuse == 0 {
		return live
	}
	if p.fuse--; p.fuse > 0 {
		return live
	}
	p.die(c.String())
	if p.dice.chance(0.5, key, "after") {
		return dieAfter
	}
	return dieBefore
}

func (p *process) die(at string) {
	p.log("%s dies at %s", p.name, at)
	p.dead = true
	p.stop()
}

// torment is the nemesis, until the time of calm.
func (w *world) torment(r *rand.Rand) {
	for time.Now().Before(w.calm) {
		time.Sleep(min(between(r, 5*time.Second, 90*time.Second), time.Until(w.calm)))
		w.mu.Lock()
		p := w.processes[r.IntN(len(w.processes))]
		calls := 1 + r.IntN(60)
		long := between(r, 20*time.Second, 400*time.Second)
		victim := w.apps[r.IntN(len(w.apps))].name
		if r.Float64() < w.temper.thefts && p.theft == 0 {
			p.theft = 1 + r.IntN(14)
		}
		crash, pause, lose, person := r.Float64() < w.temper.crashes, r.Float64() < w.temper.pauses, r.Float64() < w.temper.lostRecord, r.Float64() < 0.05
		if crash && !p.dead && p.fuse == 0 {
			p.fuse = calls
			w.background.Go(func() { w.replace(p, long/10) })
		} else if pause && !p.dead && p.frost == 0 {
			p.frost, p.frostTime = calls, long
		}
		if lose {
			w.lose(victim)
		}
		if person {
			w.request(victim)
		}
		w.mu.Unlock()
	}
}

// replace waits for the death of a process and starts another in its place.
func (w *world) replace(p *process, after time.Duration) {
	for {
		time.Sleep(after)
		w.mu.Lock()
		calm := !time.Now().Before(w.calm)
		if calm && !p.dead {
			p.fuse = 0 // it came through
			w.mu.Unlock()
			return
		}
		dead := p.dead
		w.mu.Unlock()
		if dead {
			p.work.Wait()
			next := w.start(p.name + "'")
			w.mu.Lock()
			for i := range w.processes {
				if w.processes[i] == p {
					w.processes[i] = next
				}
			}
			w.mu.Unlock()
			return
		}
	}
}

// lose forgets a record, lock and all.
func (w *world) lose(name app.Name) {
	if err := w.stores.Records.Delete(context.WithoutCancel(w.ctx), name); err != nil {
		w.t.Fatal(err)
	}
	w.log("the record of %s is lost", name)
	w.history.lost(name)
}

// request is slipway app sync.
func (w *world) request(name app.Name) {
	rec, err := w.stores.Records.Get(context.WithoutCancel(w.ctx), name)
	if err != nil || rec.Wanted.Seq == 0 {
		return
	}
	_, err = w.stores.Records.Update(context.WithoutCancel(w.ctx), name, func(r *record.Record) error { r.Request(); return nil })
	if err == nil {
		err = w.syncs.send(string(name), "", app.Wake{Application: name})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	return lo + time.Duration(r.Int64N(int64(hi-lo)))
}
