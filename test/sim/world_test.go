package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/revision"
	"slipway/internal/state"
	"slipway/internal/state/statetest"
	"slipway/test/server"
)

const namespace = "production"

// began is when every bubble of testing/synctest begins.
var began = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// application is one of the world, its folder in its repository, and what it follows.
type application struct {
	name   app.Name
	folder string
	source revision.Source
}

// world is one seed: a git host, a state, queues, a cluster, processes that work on them, people who push, and a nemesis.
type world struct {
	*dice
	t      *testing.T
	seed   int
	temper temper
	trace  func(line string) // nil: nobody reads along
	ctx    context.Context
	calm   time.Time // the nemesis stops
	told   sync.Mutex

	mu         sync.Mutex // one event at a time; all below
	quiet      bool
	git        *host
	api        *server.Server
	stores     state.Stores
	moves      *line
	syncs      *line
	apps       []application
	branches   []revision.Source
	labels     map[string]app.Name
	processes  []*process
	history    *history
	swept      int // begun
	deliveries int
	sweeps     int // ended, two at once counted as one
	hour       map[time.Duration]int
	failingApp app.Name // nobody reaches its part of
	failingIn  string   // a service

	background sync.WaitGroup
}

func newWorld(t *testing.T, seed int, trace func(string)) *world {
	d := dice(seed)
	w := &world{dice: &d, t: t, seed: seed, temper: tempered(d), trace: trace, git: newHost(), api: server.New(),
		stores: statetest.Memory(), labels: map[string]app.Name{}, hour: map[time.Duration]int{}}
	w.history = &history{world: w, apps: map[app.Name]*past{}, objects: map[manifest.ID]uint64{}, stale: map[manifest.ID]bool{}}
	var cancel context.CancelFunc
	w.ctx, cancel = context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(cancel)
	w.moves, w.syncs = w.line("moves", movesVisibility, movesReceives), w.line("syncs", syncsVisibility, syncsReceives)
	w.calm = time.Now().Add(d.within(10*time.Minute, 25*time.Minute, "calm"))
	w.declare(3 + d.below(3, "applications"))
	w.log("temper: %+v", w.temper)
	return w
}

// declare makes applications over two repositories and up to two branches of each; the first two share one.
func (w *world) declare(n int) {
	first := map[revision.Source]content{}
	for i := range n {
		b := revision.Source{Repository: revision.Repository(fmt.Sprintf("git.example/org/repository-%d", w.below(2, "repository", number(i/2)))),
			Ref: [...]string{"main", "release"}[w.below(2, "branch", number(i/2))]}
		a := application{folder: fmt.Sprintf("app%d", i), source: b}
		declared := app.Application{Namespace: "argocd", Name: a.folder, Project: "default", Source: app.Source{RepoURL: "https://" + string(b.Repository), TargetRevision: b.Ref, Path: a.folder},
			Destination: app.Destination{Name: app.InCluster, Namespace: namespace}, Sync: app.SyncPolicy{Automated: true, Prune: true}}
		a.name = declared.Key()
		if err := w.stores.Registry.Put(w.ctx, app.Registered{Application: declared}); err != nil {
			w.t.Fatal(err)
		}
		w.apps, w.labels[manifest.LabelFor(string(a.name))] = append(w.apps, a), a.name
		w.history.apps[a.name] = &past{source: b}
		if first[b] == nil {
			first[b] = content{}
			w.branches = append(w.branches, b)
		}
		first[b][a.folder] = map[string]string{a.folder + "-0": "v0", a.folder + "-1": "v0"}
	}
	for _, b := range w.branches {
		w.git.set(b, w.git.commit("", first[b]))
	}
}

// appOf is the application that an object's name tells.
func appOf(id manifest.ID) app.Name {
	folder, _, _ := strings.Cut(id.Name, "-")
	return app.Name("argocd/" + folder)
}

// renderer reads each file as one object, and tells the history what was wanted.
type renderer struct{}

func (renderer) Render(ctx context.Context, in app.Inputs, _ app.Target) (out manifest.Rendered, err error) {
	wanted := map[string]string{}
	for file, value := range in.Files {
		out.Objects = append(out.Objects, manifest.Object{Unstructured: object(objectName(file), string(value)), File: file})
		wanted[objectName(file)] = string(value)
	}
	invocationOf(ctx).rendered(wanted)
	return out, nil
}

// schedule sweeps every five minutes, by any process that lives; now and then twice at once.
func (w *world) schedule(r *rand.Rand) {
	for {
		w.mu.Lock()
		p, q := w.processes[r.IntN(len(w.processes))], w.processes[r.IntN(len(w.processes))]
		quiet := w.quiet
		twice := r.IntN(6) == 0 && !quiet
		w.mu.Unlock()
		again := between(r, time.Millisecond, time.Second)
		w.background.Go(func() {
			p.sweep(w.ctx)
			w.mu.Lock()
			defer w.mu.Unlock()
			if quiet {
				w.sweeps++
			}
		})
		if twice {
			w.background.Go(func() { time.Sleep(again); q.sweep(w.ctx) })
		}
		t := time.NewTimer(sweepEvery)
		select {
		case <-t.C:
		case <-w.ctx.Done():
			t.Stop()
			return
		}
	}
}

// failing reports whether a call goes to what nobody reaches at the moment.
func (w *world) failing(c call) bool {
	return c.app != "" && c.app == w.failingApp && c.to == w.failingIn
}

func (w *world) log(format string, args ...any) {
	if w.trace == nil {
		return
	}
	w.told.Lock()
	defer w.told.Unlock()
	w.trace(fmt.Sprintf("%10.3fs  ", time.Since(began).Seconds()) + fmt.Sprintf(format, args...))
}
