package sim

import (
	"context"
	"sync"
	"time"

	"slipway/internal/manifest"
)

// invocation is one message in one process, as the history sees it; it travels in the context.
type invocation struct {
	process  *process
	id       string
	what     string
	group    string
	began    time.Time
	receives int
	later    bool   // its error says when to come back
	over     bool   // it has told the queue when the message is to come again
	fence    uint64 // of the lock that it took

	mu     sync.Mutex
	calls  map[string]int
	wanted map[string]string     // what it has rendered: object, value
	failed map[manifest.ID]error // applies that did not succeed
}

type invocationKey struct{}

// invocation begins one; the world is locked.
func (p *process) invocation(id, what, group string, receives int) *invocation {
	p.hour[time.Since(began)/time.Hour]++
	return &invocation{process: p, id: id, what: what, group: group, receives: receives, began: time.Now(), calls: map[string]int{}, failed: map[manifest.ID]error{}}
}

// invocationOf is nil for what the Poller does around one.
func invocationOf(ctx context.Context) *invocation {
	inv, _ := ctx.Value(invocationKey{}).(*invocation)
	return inv
}

// key names one call of one invocation: the same in every run of a seed, whatever goroutine comes first.
func (inv *invocation) key(name string) string {
	if inv == nil {
		return name
	}
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.calls[name]++
	return inv.id + " " + name + " " + number(inv.calls[name])
}

func (inv *invocation) applied(id manifest.ID, err error) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	if err != nil {
		inv.failed[id] = err
		return
	}
	delete(inv.failed, id)
}

func (inv *invocation) rendered(wanted map[string]string) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	inv.wanted = wanted
}
