package drive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
)

const (
	// tickRest is between two ticks of a watch: a canary's ReplicaSets change many times a second.
	tickRest = 250 * time.Millisecond
	// tickEvery is how often a watch ticks that is told of nothing: what no change tells of is found, such as a deadline.
	tickEvery = 10 * time.Second
	// A watch that breaks goes on after a pause, twofold each time; it is told of when it has broken so often.
	watchPause = 250 * time.Millisecond
	watchMost  = 15 * time.Second
	watchTries = 4
)

// Watch ticks whenever a Rollout of the cluster or a ReplicaSet of one changes, until ctx ends: what people have patched
// is acted on within a second. The error is what the last tick could not do, and watches that are of no use.
func (d *Drive) Watch(ctx context.Context, cluster string) error {
	c, err := d.Connect(ctx, cluster)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", cluster, err)
	}
	look := make(chan struct{}, 1)
	changed := func() {
		select {
		case look <- struct{}{}:
		default: // one look is due already
		}
	}
	changed()
	var followers sync.WaitGroup
	var broken [2]error
	for i, of := range []struct {
		kind     schema.GroupKind
		selector string
	}{{rolloutKind, Instance}, {setKind, hashLabel}} {
		followers.Go(func() { broken[i] = follow(ctx, c, of.kind, of.selector, changed) })
	}
	failed := d.ticks(ctx, cluster, look)
	followers.Wait()
	return errors.Join(failed, errors.Join(broken[:]...))
}

// ticks is a tick for each look, and each tickEvery.
func (d *Drive) ticks(ctx context.Context, cluster string, look <-chan struct{}) (failed error) {
	every := time.NewTicker(tickEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return failed
		case <-look:
		case <-every.C:
		}
		if err := d.Tick(ctx, cluster); ctx.Err() == nil { // one that was cut off says nothing
			failed = err
		}
		_ = sleep(ctx, tickRest) // its end is seen above
	}
}

// follow watches a kind until ctx ends. The error is what broke it again and again, and has not gone well since.
func follow(ctx context.Context, c Cluster, kind schema.GroupKind, selector string, changed func()) (broken error) {
	for tries := 0; ctx.Err() == nil; {
		err := c.Changes(ctx, kind, selector, changed)
		pause := watchPause
		switch {
		case err == nil:
			tries, broken = 0, nil
		case fault.Is(err, fault.NotFound): // its definition may come
			pause = tickEvery
		default:
			if tries++; tries >= watchTries {
				broken = err
			}
			pause = min(watchPause<<tries, watchMost)
		}
		_ = sleep(ctx, pause)
	}
	return broken
}
