package drive

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/rollout"
	"slipway/internal/traffic"
)

// patched is a cluster that calls back around each merge patch.
type patched struct {
	Cluster
	before, after func(id manifest.ID, patch string)
}

func (p patched) Merge(ctx context.Context, id manifest.ID, uid types.UID, version, subresource string, patch []byte) (*unstructured.Unstructured, error) {
	p.before(id, string(patch))
	out, err := p.Cluster.Merge(ctx, id, uid, version, subresource, patch)
	if err == nil {
		p.after(id, string(patch))
	}
	return out, err
}

// stuckAt makes the first patch of a kind that has a part hang.
func (s *scene) stuckAt(kind, part string) hold {
	h := hold{make(chan struct{}), make(chan struct{})}
	var come atomic.Bool
	s.Connect = func(context.Context, string) (Cluster, error) {
		return patched{s.memory, func(id manifest.ID, patch string) {
			if id.Kind == kind && strings.Contains(patch, part) && come.CompareAndSwap(false, true) {
				close(h.reached)
				<-h.release
			}
		}, func(manifest.ID, string) {}}, nil
	}
	return h
}

// A Begin that comes too late must not scale up what the janitor found at rest.
func TestRule5WhatIsRightIsTouchedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := begun(t, short)
		s.commit("web:2")
		s.paused()
		s.must(s.Abort(t.Context(), web, "no"))
		s.staged(record.Aborted)
		h := s.stuckAt("ReplicaSet", `"replicas"`) // of the retry's Begin, which would scale it up
		s.must(s.Retry(t.Context(), web))
		<-h.reached
		s.must(s.engine.Load().Stop(t.Context(), Machine, s.record().Execution, "", ""))
		s.staged(record.Aborted)
		close(h.release)
		synctest.Wait()
		time.Sleep(10 * time.Second)
		s.safe()
	})
}

// overtaken is a promotion of web:2 by hand of the machine's tasks: nobody hears of its execution, which was stopped.
type overtaken struct {
	*scene
	state State
	hold  hold
	done  chan error
	armed atomic.Bool                        // the next patch that moves the stable Service hangs
	after func(id manifest.ID, patch string) // what happens after a patch
}

// overtake brings a scene to where web:2 carries weight 100, and the record says PROMOTING.
func overtake(t *testing.T) *overtaken {
	t.Helper()
	s := begun(t, short)
	s.deaf.Store(true)
	h := s.reach("Promote")
	rec := s.record()
	s.must(s.engine.Load().Stop(t.Context(), Machine, rec.Execution, "", ""))
	s.letGo(h)
	o := &overtaken{
		scene: s, state: State{Rollout: web.String(), Fence: rec.Fence, Number: rec.Step + 1000, Hash: rec.Hash},
		hold: hold{make(chan struct{}), make(chan struct{})}, done: make(chan error, 1),
	}
	o.after = func(manifest.ID, string) {}
	s.Connect = func(context.Context, string) (Cluster, error) {
		return patched{s.memory, o.before, func(id manifest.ID, patch string) { o.after(id, patch) }}, nil
	}
	s.must(o.call(rollout.Promote))
	if s.weight() != 100 || s.record().Stage != record.Promoting {
		t.Fatalf("it is %s: %s", s.record().Stage, s)
	}
	time.Sleep(2 * time.Second) // the router takes it
	return o
}

// call is the next attempt of a task.
func (o *overtaken) call(task rollout.Task) error {
	o.state.Number += 1000
	_, err := o.Task(o.t.Context(), Call{Task: task, State: o.state})
	return err
}

func (o *overtaken) before(id manifest.ID, patch string) {
	if id == web.of(serviceKind, "order-service-stable") && strings.Contains(patch, hashLabel) && o.armed.CompareAndSwap(true, false) {
		close(o.hold.reached)
		<-o.hold.release
	}
}

// hangs begins an attempt that hangs just before it moves the stable Service.
func (o *overtaken) hangs(task rollout.Task) {
	o.armed.Store(true)
	go func() { o.done <- o.call(task) }()
	<-o.hold.reached
}

// goesOn lets the late attempt go on to its end.
func (o *overtaken) goesOn() {
	close(o.hold.release)
	if err := <-o.done; err == nil {
		o.t.Error("a late attempt is told that all went well")
	}
	rs := o.memory.live(web.of(setKind, web.Name+"-"+o.state.Hash))
	if ready, _, _ := unstructured.NestedInt64(rs.Object, "status", "availableReplicas"); ready > 0 {
		o.t.Errorf("the canary still serves: %s", o)
	}
	if traffic.Selected(o.memory.live(web.of(serviceKind, "order-service-stable"))) == o.state.Hash {
		o.t.Errorf("a late attempt has moved the stable Service to pods that are dead: %s", o)
	}
}

// dies takes the canary's pods.
func (o *overtaken) dies() {
	o.breaks("web:2")
	time.Sleep(2 * time.Second)
}

// A promotion that hangs before it moves the stable Service must not do so once somebody else has taken the weight away.
func TestRule5TheStableServiceIsTouchedBeforeTheWeightIsTaken(t *testing.T) {
	for name, takesOver := range map[string]func(o *overtaken){
		"rollback": func(o *overtaken) { o.must(o.call(rollout.Rollback)) },
		"janitor":  func(o *overtaken) { o.must(o.Janitor(o.t.Context(), web, o.state.Fence)) },
		"begin": func(o *overtaken) { // of a commit that came while a janitor that died had said ABORTING
			_, err := o.Rollouts.Update(o.t.Context(), web.String(), func(r *record.Rollout) error {
				a, err := r.Janitor(o.state.Fence, "j", time.Now())
				if err != nil {
					return err
				}
				return r.Abandon(a)
			})
			o.must(err)
			o.commit("web:3")
			o.until("weight 0", func() bool { return o.weight() == 0 })
			o.goOn()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := overtake(t)
				o.hangs(rollout.Promote)
				o.dies()
				var taken atomic.Bool
				o.after = func(id manifest.ID, patch string) {
					if id.Kind == "HTTPRoute" && strings.Contains(patch, "rules") && taken.CompareAndSwap(false, true) {
						o.goesOn()
					}
				}
				takesOver(o)
				if !taken.Load() {
					t.Errorf("nobody took the weight: %s", o)
				}
				if !t.Failed() { // else that would be two hours
					o.safe()
				}
			})
		})
	}
}

// A rollback that goes forward with what is promoted, and hangs, is followed by an attempt of the same task.
func TestRule5ALateAttemptOfTheSameTaskWritesNothing(t *testing.T) {
	for name, again := range map[string]uint64{"the next attempt": 1000, "another call of the same": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := overtake(t)
				o.hangs(rollout.Rollback)
				o.dies()
				o.state.Number += again - 1000
				o.must(o.call(rollout.Rollback))
				if o.weight() != 0 {
					t.Errorf("it does not go back: %s", o)
				}
				o.goesOn()
				if !t.Failed() { // else that would be two hours
					o.safe()
				}
			})
		})
	}
}
