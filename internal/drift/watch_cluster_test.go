//go:build cluster

package drift

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"slipway/internal/app"
)

// watching is a run of watch mode; end cancels it and answers what it says.
type watching struct {
	stop context.CancelFunc
	done chan struct{}
	rep  Report
	err  error
}

func (r *real) watch(limit time.Duration) *watching {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	_, d := r.process(r.stores) // another process, as another invocation is
	w := &watching{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.rep, w.err = d.Watch(ctx, app.Cluster{Name: "real"}, limit)
	}()
	r.t.Cleanup(func() { cancel(); <-w.done })
	return w
}

func (w *watching) end(t *testing.T) Report {
	t.Helper()
	w.stop()
	<-w.done
	if w.err != nil {
		t.Fatal(w.err)
	}
	return w.rep
}

func (r *real) value(name string) string {
	u, err := r.At("configmaps").Get(r.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		return "gone"
	}
	data, _ := u.Object["data"].(map[string]any)
	k, _ := data["k"].(string)
	return k
}

func TestEditsAreHealedAsTheyHappenAndNoneIsLostAtAHandOver(t *testing.T) {
	r := newReal(t)
	r.selfHeal()
	const objects = 200
	var text strings.Builder
	for i := range objects {
		text.WriteString(configMap(fmt.Sprintf("c%03d", i), "k: git"))
	}
	r.sync(text.String())
	dice := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a seed that can be repeated
	edits := 0
	edit := func() {
		name := fmt.Sprintf("c%03d", edits)
		edits++
		if dice.IntN(3) > 0 {
			r.merge("configmaps", name, "kubectl-edit", `{"data":{"k":"edit"}}`)
		} else if err := r.At("configmaps").Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	first := r.watch(time.Minute)
	for range 10 {
		edit()
	}
	second := r.watch(time.Minute) // asks the first to let go, and edits go on
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for over := false; !over; {
		<-pace.C
		select {
		case <-first.done:
			over = true
		default:
			if edits == objects-10 {
				t.Fatal("the first run does not let go")
			}
			edit()
		}
	}
	for range 10 {
		edit()
	}
	for i := range edits {
		name := fmt.Sprintf("c%03d", i)
		r.Eventually("what happened to "+name+" is healed", func() bool { return r.value(name) == "git" })
	}
	rep := second.end(t)
	if first.err != nil {
		t.Fatal(first.err)
	}
	if healed := first.rep.Healed + rep.Healed; healed != edits {
		t.Errorf("%d heals of %d edits: %d by the first run", healed, edits, first.rep.Healed)
	}
	if first.rep.Healed == 0 || rep.Healed == 0 {
		t.Errorf("the runs healed %d and %d", first.rep.Healed, rep.Healed)
	}
}

func TestANewApplicationAndANewKindAreWatchedSoon(t *testing.T) {
	r := newReal(t)
	r.selfHeal()
	run := r.watch(time.Minute)
	r.sync(configMap("a", "k: git"))
	r.merge("configmaps", "a", "kubectl-edit", `{"data":{"k":"edit"}}`)
	r.Eventually("an edit of an object that is newer than the watch is healed", func() bool { return r.value("a") == "git" })
	run.end(t)
}

// A loop re-edits one field every second: it waits its turn, and what else is edited is healed at once. How the fight ends
// is a matter of minutes, which the clock of watch_test.go has.
func TestAFieldThatIsFoughtOverHoldsUpNobody(t *testing.T) {
	r := newReal(t)
	r.selfHeal()
	r.sync(configMap("fought", "k: git") + configMap("calm", "k: git"))
	run := r.watch(2 * time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	var loop sync.WaitGroup
	loop.Go(func() {
		for ctx.Err() == nil {
			_, err := r.At("configmaps").Patch(ctx, "fought", types.MergePatchType, []byte(`{"data":{"k":"loop"}}`), metav1.PatchOptions{FieldManager: "loop"})
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
			pause(ctx, time.Second)
		}
	})
	defer loop.Wait()
	defer cancel()
	times := func() []time.Time {
		for k, h := range r.known().Heals {
			if strings.Contains(k, "/fought ") {
				return h.Times
			}
		}
		return nil
	}
	r.Eventually("three heals", func() bool { return len(times()) >= 3 })
	r.merge("configmaps", "calm", "kubectl-edit", `{"data":{"k":"edit"}}`)
	r.Eventually("the other object is healed meanwhile", func() bool { return r.value("calm") == "git" })
	heals := times()
	for i, want := range waits[1:3] {
		if got := heals[i+1].Sub(heals[i]); got < want {
			t.Errorf("heal %d came %s after the one before, want %s at least", i+2, got, want)
		}
	}
	run.end(t)
}
