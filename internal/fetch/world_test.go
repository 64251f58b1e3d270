package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/revision"
	"slipway/internal/state"
	"slipway/internal/state/bolt"
	inject "slipway/test/fault"
)

const repo revision.Repository = "git.example/org/config"

// cutter knows archives as git makes them: a file named broken in an application's path refuses that application.
type cutter struct{}

func (cutter) Cut(_ context.Context, archive io.Reader, sha revision.SHA, apps []app.Application) (map[app.Name]Cut, error) {
	files := map[string]string{}
	if err := json.NewDecoder(archive).Decode(&files); err != nil {
		return nil, err
	}
	if files["hostile"] != "" {
		return nil, fault.New(fault.Invalid, "hostile: a link out of the repository")
	}
	out := map[app.Name]Cut{}
	for _, a := range apps {
		in := app.Inputs{Application: a, Files: map[string][]byte{}}
		for p, text := range files {
			if strings.HasPrefix(p, a.Source.Path+"/") {
				in.Files[p] = []byte(text)
			}
		}
		c := Cut{Inputs: in}
		if len(in.Files) == 0 || in.Files[a.Source.Path+"/broken"] != nil {
			c = Cut{Err: fault.New(fault.Invalid, "%s at %s: no manifests", a.Source.Path, sha.Short())}
		}
		out[a.Key()] = c
	}
	return out, nil
}

type message struct {
	move revision.Move
	at   time.Time
}

// world is all that fetch talks to, a sync that applies at once, and what it has applied.
type world struct {
	t      *testing.T
	stores state.Stores
	host   *git
	mu     sync.Mutex
	moves  []message
	wakes  []app.Name
	ran    map[app.Name][]applied
	woken  map[app.Name]int
	inject *inject.Injector
	check  func() // after each call of fetch
}

type applied struct {
	rev    revision.SHA
	forced bool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := bolt.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return worldOf(t, s.Stores())
}

func worldOf(t *testing.T, stores state.Stores) *world {
	return &world{t: t, stores: stores, ran: map[app.Name][]applied{}, woken: map[app.Name]int{}, host: &git{
		commits: map[revision.SHA]commit{}, refs: map[revision.Source]revision.SHA{}, broken: map[string]error{}, calls: map[string]int{},
	}}
}

// declare registers an application that follows ref of repo, with its files in a folder of its name.
func (w *world) declare(name, ref string, change ...func(*app.Application)) app.Name {
	w.t.Helper()
	a := app.Application{Namespace: "argocd", Name: name, Project: "default", Sync: app.SyncPolicy{Automated: true}, Source: app.Source{RepoURL: "https://" + string(repo) + ".git", TargetRevision: ref, Path: name}}
	for _, c := range change {
		c(&a)
	}
	if err := w.stores.Registry.Put(w.t.Context(), app.Registered{Application: a}); err != nil {
		w.t.Fatal(err)
	}
	return a.Key()
}

func (w *world) set(ref string, sha revision.SHA) {
	w.host.mu.Lock()
	defer w.host.mu.Unlock()
	w.host.refs[revision.Source{Repository: repo, Ref: ref}] = sha
}

// commit adds a commit upon parent; files are "path: text".
func (w *world) commit(parent revision.SHA, files ...string) revision.SHA {
	w.host.mu.Lock()
	defer w.host.mu.Unlock()
	c := commit{parent: parent, files: map[string]string{}}
	for p, text := range w.host.commits[parent].files {
		c.files[p] = text
	}
	for _, f := range files {
		p, text, _ := strings.Cut(f, ": ")
		c.files[p] = text
		if text == "" {
			delete(c.files, p)
		}
	}
	sha := revision.SHA(fmt.Sprintf("%040x", 0xa0+len(w.host.commits)))
	w.host.commits[sha] = c
	return sha
}

// push commits upon main and moves it there.
func (w *world) push(files ...string) revision.SHA {
	tip, _ := w.host.ref(repo, "main") // none yet: the first commit
	sha := w.commit(tip, files...)
	w.set("main", sha)
	return sha
}

// bare is a move without a hint, as the sweep queues it.
var bare = revision.Move{Repository: repo, Ref: "main", Delivery: "bare"}

func hint(sha revision.SHA) revision.Move {
	return revision.Move{Repository: repo, Ref: "main", Hint: sha, Delivery: "push-" + string(sha), Received: time.Now().UnixMilli()}
}

func (w *world) fetch() *Fetch {
	f := New(Deps{Records: w.stores.Records, Registry: w.stores.Registry, Blobs: w.stores.Blobs, Notes: w.stores.Notes, Host: w.host, Tips: w.host, Cutter: cutter{}, Queue: w})
	if w.inject != nil {
		f = New(breakable(w, f.Deps))
		f.atOnce = 1 // the calls of each run in the same order
	}
	return f
}

func (w *world) Wake(_ context.Context, name app.Name) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wakes = append(w.wakes, name)
	w.woken[name]++
	return nil
}

func (w *world) Move(_ context.Context, m revision.Move) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moves = append(w.moves, message{m, time.Now()})
	return nil
}

// mustMove runs one move that must end well; busy must come back instead.
func (w *world) mustMove(m revision.Move) {
	w.t.Helper()
	if err := w.fetch().Move(w.t.Context(), m); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) busy(m revision.Move) time.Duration {
	w.t.Helper()
	err := w.fetch().Move(w.t.Context(), m)
	after, ok := fault.After(err)
	if !fault.Is(err, fault.Busy) || !ok {
		w.t.Fatalf("got %v, want the move to come back", err)
	}
	return after
}

func (w *world) mustSweep() {
	w.t.Helper()
	if err := w.fetch().Sweep(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) record(name app.Name) record.Record {
	w.t.Helper()
	r, err := w.stores.Records.Get(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) rev(name app.Name) revision.SHA {
	return w.record(name).Wanted.Revs[string(repo)+"@main"]
}

func (w *world) wantRev(name app.Name, want revision.SHA) {
	w.t.Helper()
	if got := w.rev(name); got != want {
		w.t.Fatalf("%s wants %s, not %s", name, got, want)
	}
}

// sync does to the record what a run without incident does.
func (w *world) sync(name app.Name) {
	w.t.Helper()
	now := time.Now()
	var forced bool
	rec, err := w.stores.Records.Update(w.t.Context(), name, func(r *record.Record) error {
		if err := r.Take("sync", now, now.Add(time.Minute)); err != nil {
			return err
		}
		forced = r.Wanted.Forced
		done := record.Done{Seq: r.Wanted.Seq, Revs: r.Wanted.Revs, Digest: r.Wanted.Digest, At: now}
		if err := r.Finish(r.Lock.Fence, done); err != nil {
			return err
		}
		_, err := r.Release(r.Lock.Fence, record.Settled)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.ran[name] = append(w.ran[name], applied{rec.Done.Revs[string(repo)+"@main"], forced})
}

// broke takes an error that a test has injected; after a process that is gone comes another, which nothing breaks.
func (w *world) broke(err error) {
	w.t.Helper()
	if !errors.Is(err, inject.ErrInjected) {
		w.t.Fatal(err)
	}
	if w.inject.Gone() {
		w.inject = nil
	}
}

// drain handles messages as they come due until there are none: moves in order, a busy one again after its time.
func (w *world) drain() {
	w.t.Helper()
	for range 500 {
		w.mu.Lock()
		moves, wakes := w.moves, w.wakes
		w.moves, w.wakes = nil, nil
		w.mu.Unlock()
		for _, n := range wakes {
			if r := w.record(n); r.Pending() {
				w.sync(n)
			}
		}
		if len(moves) == 0 && len(wakes) == 0 {
			return
		}
		var due bool
		for _, m := range moves {
			if m.at.After(time.Now()) {
				w.mu.Lock()
				w.moves = append(w.moves, m)
				w.mu.Unlock()
				continue
			}
			due = true
			err := w.fetch().Move(w.t.Context(), m.move)
			if after, ok := fault.After(err); ok && !errors.Is(err, inject.ErrInjected) {
				m.at = time.Now().Add(after)
				w.mu.Lock()
				w.moves = append(w.moves, m)
				w.mu.Unlock()
			} else if err != nil {
				w.broke(err)
				w.mu.Lock()
				w.moves = append(w.moves, m) // not acknowledged
				w.mu.Unlock()
			}
		}
		if !due && len(wakes) == 0 {
			time.Sleep(time.Second)
		}
	}
	w.t.Fatal("the queues do not run empty")
}
