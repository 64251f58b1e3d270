package server

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

var configMaps = schema.GroupKind{Kind: "ConfigMap"}

// watching is a watch that has begun: what it tells, and how it ends.
type watching struct {
	told []string
	last string
	err  error
	done chan struct{}
	stop context.CancelFunc
}

func (s *Server) watching(t *testing.T, from string, most time.Duration) *watching {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), most)
	w := &watching{done: make(chan struct{}), stop: stop}
	go func() {
		defer close(w.done)
		w.last, w.err = s.Watch(ctx, configMaps, from, func(e manifest.Event) error {
			w.told = append(w.told, fmt.Sprintf("%s %s", e.Type, e.Object.Name))
			return nil
		})
	}()
	synctest.Wait()
	return w
}

func TestAWatchWithoutEndIsEndedByTheServerWithABookmarkBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		s.Create("person", labelled("a", "k", "v"))
		begin := time.Now()
		w := s.watching(t, "1", time.Hour)
		<-w.done
		if took := time.Since(begin); w.err != nil || took != watchTime-watchGrace {
			t.Errorf("it ended after %s with %v", took, w.err)
		}
		want := []string{"ADDED a", "BOOKMARK ", "BOOKMARK ", "BOOKMARK ", "BOOKMARK ", "BOOKMARK "} // of minutes 1 to 4, and the last
		if d := cmp.Diff(want, w.told); d != "" {
			t.Error(d)
		}
		if w.last != "2" {
			t.Errorf("the next begins at %s", w.last)
		}
	})
}

func TestAWatchThatIsCutGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		s.Create("person", labelled("a", "k", "v"))
		w := s.watching(t, "1", time.Hour)
		s.CutWatches()
		<-w.done
		if !fault.Is(w.err, fault.Unavailable) || w.last != "2" {
			t.Errorf("it ends at %s with %v", w.last, w.err)
		}
		s.Create("person", labelled("b", "k", "v"))
		w = s.watching(t, w.last, time.Hour)
		w.stop()
		<-w.done
		if d := cmp.Diff([]string{"ADDED b"}, w.told); d != "" || w.err != nil {
			t.Error(d, w.err)
		}
	})
}

func TestHistoryThatWasDroppedIsAConflict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		s.Create("person", labelled("a", "k", "v"))
		running := s.watching(t, "2", time.Hour)
		s.Create("person", labelled("b", "k", "v"))
		s.DropHistory()
		_, err := s.Watch(t.Context(), configMaps, "1", func(manifest.Event) error { return nil })
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("the error is %v", err)
		}
		s.Create("person", labelled("c", "k", "v"))
		synctest.Wait()
		running.stop()
		<-running.done
		if d := cmp.Diff([]string{"ADDED b", "ADDED c"}, running.told); d != "" || running.err != nil {
			t.Error(d, running.err)
		}
	})
}

func TestAWatchEndsWithTheErrorOfWhoWatches(t *testing.T) {
	s, enough := New(), errors.New("enough")
	s.Create("person", labelled("a", "k", "v"))
	s.Create("person", labelled("b", "k", "v"))
	last, err := s.Watch(t.Context(), configMaps, "1", func(e manifest.Event) error {
		if e.Object.Name == "b" {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || last != "2" { // b is told again by the next
		t.Errorf("it ends at %s with %v", last, err)
	}
}
