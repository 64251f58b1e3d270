package sim

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/fault"
	"slipway/internal/fetch"
	"slipway/internal/invoke"
	"slipway/internal/revision"
)

// What the functions have (design.md 5, internal/local/work.go and queues.go).
const (
	fetchTimeout    = 130 * time.Second
	syncTimeout     = 120 * time.Second
	movesVisibility = 150 * time.Second
	movesReceives   = 10
	syncsVisibility = 170 * time.Second
	syncsReceives   = 6
	fetchWorkers    = 2
	syncWorkers     = 2
	sweepEvery      = 5 * time.Minute
)

// process is one life of a process: the product's code between its queues and its services. Everything it calls goes
// through call, so that it can be slow, be paused, and die.
type process struct {
	*world
	name string
	skew time.Duration // its clock is so far ahead, as far as leases go

	fetch *fetch.Fetch
	stop  context.CancelFunc
	work  sync.WaitGroup

	dead        bool
	frozen      time.Time // paused until then
	fuse, frost int       // calls until the nemesis strikes; 0: it does not
	frostTime   time.Duration
	theft       int // the same, of calls under a lock
}

// start lets a process live.
func (w *world) start(name string) *process {
	p := &process{world: w, name: name}
	if w.dice.chance(0.5, name, "skewed") && !w.quiet {
		p.skew = w.temper.skew
	}
	ctx, stop := context.WithCancel(w.ctx)
	p.stop = stop
	q := queues{p}
	log := slog.New(slog.DiscardHandler)
	p.fetch = fetch.New(fetch.Deps{Records: records{p}, Registry: registry{p}, Blobs: blobs{p}, Notes: notes{p},
		Host: hostClient{p}, Tips: hostClient{p}, Cutter: cutter{}, Queue: q})
	d := deploy.New(deploy.Deps{Records: records{p}, Registry: registry{p}, Blobs: blobs{p}, Renderer: renderer{}, Queue: q, Owner: name,
		Connect: func(context.Context, app.Destination) (deploy.Cluster, error) { return client{p}, nil }})
	moves := func(m mailbox) {
		p.poll(ctx, m, fetchWorkers, fetchTimeout, invoke.SQS[revision.Move]{Name: "fetch", Delayer: m, MaxReceives: movesReceives, Log: log,
			Handler: func(ctx context.Context, m revision.Move, a invoke.Attempt) error {
				return p.ended(ctx, a.Receives, p.fetch.Move(ctx, m))
			}}.Handle)
	}
	syncs := func(m mailbox) {
		p.poll(ctx, m, syncWorkers, syncTimeout, invoke.SQS[app.Wake]{Name: "sync", Delayer: m, MaxReceives: syncsReceives, Log: log,
			Handler: func(ctx context.Context, m app.Wake, a invoke.Attempt) error {
				return p.ended(ctx, a.Receives, d.Sync(ctx, m.Application, a.Last))
			}}.Handle)
	}
	moves(mailbox{p, w.moves, w.moves.queue})
	moves(mailbox{p, w.moves, w.moves.copies})
	syncs(mailbox{p, w.syncs, w.syncs.queue})
	syncs(mailbox{p, w.syncs, w.syncs.copies})
	return p
}

func (p *process) poll(ctx context.Context, m mailbox, workers int, timeout time.Duration, handle handler) {
	p.work.Go(func() {
		time.Sleep(p.within(0, time.Millisecond, p.name, m.from.name, "first"))
		invoke.Poller{Queue: m, Workers: workers, Timeout: timeout, Log: slog.New(slog.DiscardHandler), Handle: m.handled(handle)}.Run(ctx)
	})
}

// ended notes how an invocation went.
func (p *process) ended(ctx context.Context, receives int, err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	inv := invocationOf(ctx)
	_, inv.later = fault.After(err)
	if p.dead { // all that it did ends at one instant, and nobody hears of it
		return err
	}
	p.log("%s ends %s, receive %d: %v", p.name, inv.what, receives, err)
	return err
}

// sweep is what the schedule invokes.
func (p *process) sweep(ctx context.Context) {
	p.mu.Lock()
	p.swept++
	inv := p.invocation("sweep "+number(p.swept), "sweep", "", 1)
	p.mu.Unlock()
	err := p.fetch.Sweep(context.WithValue(ctx, invocationKey{}, inv))
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.dead {
		p.log("%s has swept: %v", p.name, sorted(err))
	}
}

// sorted is the lines of an error that joins what went wrong side by side.
func sorted(err error) string {
	lines := strings.Split(fmt.Sprint(err), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// gate holds a paused process and turns a dead one away. Its goroutines do not go on at the same instant.
func (p *process) gate(key string) error {
	for {
		p.mu.Lock()
		dead, wait := p.dead, time.Until(p.frozen)
		p.mu.Unlock()
		switch {
		case dead:
			return fmt.Errorf("%s: %w", p.name, errGone)
		case wait <= 0:
			return nil
		}
		time.Sleep(wait + p.within(0, 20*time.Millisecond, key, "thaw"))
	}
}

// queues are where a process sends messages.
type queues struct{ *process }

func (q queues) Wake(ctx context.Context, name app.Name) error {
	return q.call(ctx, call{to: toQueue, name: "wake", about: string(name)}, func(string) error {
		return q.syncs.send(string(name), "", app.Wake{Application: name})
	})
}

func (q queues) Move(ctx context.Context, m revision.Move) error {
	return q.call(ctx, call{to: toQueue, name: "queue move", about: invoke.MoveGroup(m)}, func(string) error {
		return q.moves.send(invoke.MoveGroup(m), m.Delivery, m)
	})
}

func (q queues) Look(context.Context, app.Application) error {
	return fault.New(fault.Internal, "look: nothing here declares applications")
}
