package server

import (
	"context"
	"sort"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// As a real server and kube.Cluster have them (kube/watch.go; apiserver cacher.go sends bookmarks once a minute and two
// seconds before the end).
const (
	watchTime  = 5 * time.Minute
	watchGrace = time.Second
	markEvery  = time.Minute
	markAhead  = 2 * time.Second
)

// DropHistory forgets what has changed so far: a watch that begins before now is told that its version is too old.
// Watches that run go on.
func (s *Server) DropHistory() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped = s.version
}

// CutWatches breaks all watches that run.
func (s *Server) CutWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cuts++
	close(s.changed)
	s.changed = make(chan struct{})
}

// Watch is kube.Cluster's.
func (s *Server) Watch(ctx context.Context, gk schema.GroupKind, resourceVersion string, event func(manifest.Event) error) (last string, err error) {
	last = resourceVersion
	at, err := strconv.Atoi(resourceVersion)
	if err != nil || at == 0 {
		return last, fault.New(fault.Internal, "watch %s: without resourceVersion", gk)
	}
	length := watchTime
	if end, ok := ctx.Deadline(); ok {
		length = min(length, time.Until(end))
	}
	if length = (length - watchGrace).Truncate(time.Second); length < time.Second {
		return last, nil
	}
	w := watch{server: s, kind: gk, at: at, event: event}
	if err := s.do(ctx, "watch", w.open); err != nil && ctx.Err() == nil {
		return last, err
	}
	err = w.follow(ctx, length)
	return strconv.Itoa(w.at), err
}

type watch struct {
	server *Server
	kind   schema.GroupKind
	at     int // each change up to it was told
	cuts   int
	event  func(manifest.Event) error
}

// open begins the watch; the server is locked.
func (w *watch) open() error {
	s := w.server
	switch {
	case s.unknown[w.kind.Kind]:
		return fault.New(fault.NotFound, "watch %s: no such kind", w.kind)
	case s.failing[w.kind] != nil:
		return s.failing[w.kind]
	case w.at < s.dropped:
		return fault.New(fault.Conflict, "watch %s: too old resource version: %d (%d)", w.kind, w.at, s.dropped)
	}
	w.cuts = s.cuts
	return nil
}

// follow tells what changes, until ctx ends, its time is up, it is cut or event has enough.
func (w *watch) follow(ctx context.Context, length time.Duration) error {
	end := time.NewTimer(length)
	defer end.Stop()
	ahead := time.NewTimer(max(length-markAhead, 0))
	defer ahead.Stop()
	mark := time.NewTicker(markEvery)
	defer mark.Stop()
	for marked := false; ctx.Err() == nil; {
		events, version, cuts, changed := w.news()
		if cuts != w.cuts {
			return fault.New(fault.Unavailable, "watch %s: the connection broke", w.kind)
		}
		if marked {
			events = append(events, bookmark(version))
		}
		for _, e := range events {
			if ctx.Err() != nil {
				return nil
			}
			if err := w.event(e); err != nil {
				return err
			}
			w.at, _ = strconv.Atoi(e.Object.ResourceVersion)
		}
		marked = false
		select {
		case <-ctx.Done():
			return nil
		case <-end.C:
			return nil
		case <-ahead.C:
			marked = true
		case <-mark.C:
			marked = true
		case <-changed:
		}
	}
	return nil
}

// news is what has happened to the kind since, up to version, and what is closed when more has.
func (w *watch) news() (events []manifest.Event, version, cuts int, changed <-chan struct{}) {
	s := w.server
	s.mu.Lock()
	defer s.mu.Unlock()
	first := sort.Search(len(s.changes), func(i int) bool { return s.changes[i].version > w.at })
	for _, c := range s.changes[first:] {
		if e, ok := c.event(); ok && c.id.GroupKind() == w.kind {
			events = append(events, e)
		}
	}
	return events, s.version, s.cuts, s.changed
}

// event is a change as somebody sees it who watches what carries a label of ours.
func (c change) event() (manifest.Event, bool) {
	told := func(t manifest.EventType, u *unstructured.Unstructured) (manifest.Event, bool) {
		m := manifest.MetadataOf(u.DeepCopy())
		m.ResourceVersion = strconv.Itoa(c.version) // a deletion has one of its own
		return manifest.Event{Type: t, Object: *m}, true
	}
	switch {
	case ours(c.before) && ours(c.after):
		return told(manifest.Modified, c.after)
	case ours(c.after):
		return told(manifest.Added, c.after)
	case ours(c.before):
		return told(manifest.Deleted, c.before)
	}
	return manifest.Event{}, false
}

func bookmark(version int) manifest.Event {
	return manifest.Event{Type: manifest.Bookmark, Object: metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{ResourceVersion: strconv.Itoa(version)}}}
}
