package drive

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"

	"slipway/internal/fault"
	"slipway/internal/manifest"
	"slipway/internal/record"
)

var life = flag.Int("life", -1, "run this one only, and print what happens")

// dice is a generator that every goroutine of a life may use.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

// aLife is a scene in which things go wrong at random.
type aLife struct {
	*scene
	dice   *dice
	wild   atomic.Bool // things go wrong
	images int
	law    *law
}

func newLife(t *testing.T, n int) *aLife {
	d := &dice{r: rand.New(rand.NewPCG(uint64(n), 7))} //nolint:gosec // a seed
	manifests := steps(randomSteps(d))
	if d.n(3) == 0 {
		manifests = strings.ReplaceAll(fmt.Sprintf(tutorial, "web:1"), "10m", "30s")
	}
	if d.n(3) == 0 {
		manifests = strings.Replace(manifests, "spec:", "spec:\n  progressDeadlineAbort: true\n  progressDeadlineSeconds: 60", 1)
	}
	l := &aLife{scene: newScene(t, manifests), dice: d, images: 1}
	l.law = newLaw(l.scene)
	l.Rollouts = lawful{l.Rollouts, l}
	l.memory.around = l.around
	l.hook(l.disturb)
	return l
}

func randomSteps(d *dice) string {
	var out []string
	for range 1 + d.n(5) {
		switch d.n(6) {
		case 0:
			out = append(out, "{pause: {}}")
		case 1:
			out = append(out, "{pause: {duration: 20s}}")
		case 2:
			out = append(out, "{analysis: {templates: [{templateName: success-rate}]}}")
		default:
			out = append(out, fmt.Sprintf("{setWeight: %d}", d.n(101)))
		}
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// around makes requests fail, before or after they took effect, and meet a conflict.
func (l *aLife) around(op string, id manifest.ID, call func() error) error {
	if !l.wild.Load() {
		return call()
	}
	switch l.dice.n(60) {
	case 0:
		return fault.New(fault.Unavailable, "%s %s: timed out before it was done", op, id)
	case 1:
		if err := call(); err != nil {
			return err
		}
		return fault.InFlight(fault.New(fault.Unavailable, "%s %s: timed out after it was done", op, id))
	case 2:
		if op != "get" && op != "list" {
			return fault.New(fault.Conflict, "%s %s: somebody was faster", op, id)
		}
	case 3: // it pauses here, with what it has read
		time.Sleep(time.Duration(l.dice.n(90)) * time.Second)
	}
	return call()
}

// disturb makes a task hang before it begins, or be called twice.
func (l *aLife) disturb(ctx context.Context, c Call) {
	if !l.wild.Load() {
		return
	}
	switch l.dice.n(30) {
	case 0:
		time.Sleep(time.Duration(l.dice.n(120)) * time.Second)
	case 1:
		go func() { _, _ = l.Task(context.WithoutCancel(ctx), c) }()
	}
}

// happens is one thing that nobody planned.
func (l *aLife) happens() {
	ctx := context.Background()
	kind := l.dice.n(19)
	l.say("%d", kind)
	switch kind {
	case 0, 1: // a commit
		l.images++
		image := fmt.Sprintf("web:%d", l.images)
		if l.dice.n(3) == 0 {
			l.breaks(image)
		}
		l.apply(image)
		if l.dice.n(3) > 0 { // else the sync died before it could start anything
			_, _ = l.Start(ctx, "c", l.memory.live(web.id()), record.Origin{})
		}
	case 2: // a revert
		l.apply(fmt.Sprintf("web:%d", 1+l.dice.n(l.images)))
		_, _ = l.Start(ctx, "c", l.memory.live(web.id()), record.Origin{})
	case 3:
		l.memory.edit(web.id(), fmt.Sprintf(`{"spec":{"replicas":%d}}`, 1+l.dice.n(8)))
	case 4:
		_ = l.Abort(ctx, web, "no")
	case 5, 6:
		_ = l.Promote(ctx, web)
	case 7:
		_ = l.PromoteFull(ctx, web)
	case 8:
		_ = l.Retry(ctx, web)
	case 9:
		l.memory.edit(web.id(), `{"status":{"abort":true}}`)
	case 10:
		l.memory.edit(web.id(), `{"status":{"pauseConditions":null}}`)
	case 11:
		l.memory.edit(web.id(), `{"status":{"promoteFull":true}}`)
	case 12:
		l.memory.edit(web.id(), `{"status":{"abort":false}}`)
	case 13: // the console
		l.deaf.Store(l.dice.n(2) == 0)
		_ = l.engine.Load().Stop(ctx, Machine, l.record().Execution, "", "")
	case 14: // kill -9 of the engine
		l.must(l.engine.Load().Close())
		l.open()
	case 15: // pods die, and come again
		image := fmt.Sprintf("web:%d", 1+l.dice.n(l.images))
		l.breaks(image)
		time.Sleep(time.Duration(l.dice.n(40)) * time.Second)
		l.mend()
	case 16:
		l.meter.says([]v1alpha1.AnalysisPhase{"Failed", "Error", "Inconclusive", "Successful"}[l.dice.n(4)])
	default:
		_ = l.Tick(ctx, "c")
	}
}

func (l *aLife) say(format string, args ...any) {
	if *life >= 0 {
		l.t.Logf("%s "+format+" | %s token %s | %s", append(append([]any{time.Now().Format(time.TimeOnly)}, args...), l.record().Stage, l.record().Token.Answer, l)...)
	}
}

func TestNoFaultBreaksAnInvariant(t *testing.T) {
	if *life >= 0 {
		live(t, *life)
		return
	}
	n := lives
	if testing.Short() {
		n = min(n, 100)
	}
	const groups = 4
	var mu sync.Mutex
	ends := map[string]int{}
	t.Run("lives", func(t *testing.T) {
		for group := range groups {
			t.Run(fmt.Sprint(group), func(t *testing.T) {
				t.Parallel()
				for seed := group; seed < n; seed += groups {
					ended := live(t, seed)
					if t.Failed() {
						t.Fatalf("life %d: -life %[1]d prints it", seed)
					}
					mu.Lock()
					for end, times := range ended {
						ends[end] += times
					}
					mu.Unlock()
				}
			})
		}
	})
	t.Log(ends)
	for _, end := range []string{"promoted", "aborted", "superseded", "superseded in a rollback", "cleaned up"} {
		if ends[end] < n/10 {
			t.Errorf("the lives are one-sided: %v", ends)
		}
	}
}

// live is one life, and tells how often executions ended how.
func live(t *testing.T, seed int) (ends map[string]int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newLife(t, seed)
		l.start()
		l.staged(record.Healthy)
		l.images++
		l.commit("web:2")
		l.wild.Store(true)
		for range 14 {
			time.Sleep(time.Duration(1+l.dice.n(25)) * time.Second)
			l.happens()
		}
		l.comesToRest()
		ends = l.law.ends
	})
	return ends
}

// comesToRest holds I1 and I7: once nothing goes wrong any more, the last commit becomes stable and nothing else is left.
func (l *aLife) comesToRest() {
	l.wild.Store(false)
	l.mend()
	l.meter.says(v1alpha1.AnalysisPhaseSuccessful)
	time.Sleep(3 * time.Minute) // what hangs goes on
	l.images++
	last := fmt.Sprintf("web:%d", l.images)
	l.apply(last)
	l.until("the last commit is stable", func() bool {
		time.Sleep(5 * time.Second)
		l.tick()
		if rec := l.record(); rec.Token.Answer == record.Pending {
			_ = l.Promote(context.Background(), web)
		}
		live := l.memory.live(web.id())
		st := l.status()
		return l.record().Stage == record.Healthy && imageOf(live) == last && st.StableRS == st.CurrentPodHash && st.ObservedGeneration == fmt.Sprint(live.GetGeneration())
	})
	l.safe()
	if ended, err := l.Ended(context.Background(), l.record().Execution); err != nil || !ended {
		l.t.Errorf("the record has ended, its execution has not: %v", err)
	}
}
