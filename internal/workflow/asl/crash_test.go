package asl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/fault"
	"slipway/internal/state/statetest"
	"slipway/internal/workflow"
)

var errCrash = errors.New("the power is gone")

// crashing is a store that fails its k-th append, before or after it is written, and every call after it.
type crashing struct {
	Store
	k       int
	written bool
	appends int
}

func (s *crashing) Append(ctx context.Context, key string, at int, events [][]byte, until time.Time) error {
	s.appends++
	if s.appends > s.k || s.appends == s.k && !s.written {
		return errCrash
	}
	if err := s.Store.Append(ctx, key, at, events, until); err != nil {
		return err
	}
	if s.appends == s.k {
		return errCrash
	}
	return nil
}

// A process that dies at any write, before or after it counts, is followed by one that takes the same way.
func TestACrashAtAnyWriteChangesNoPath(t *testing.T) {
	for name, answer := range map[string]func(*Engine, string) error{"promoted": promote, "aborted": abort, "forgotten": nil} {
		t.Run(name, func(t *testing.T) {
			whole, writes := crashAt(t, 1_000_000, false, answer)
			if writes < 10 {
				t.Fatalf("only %d writes", writes)
			}
			for k := 1; k <= writes; k++ {
				for _, written := range []bool{false, true} {
					got, _ := crashAt(t, k, written, answer)
					if diff := cmp.Diff(whole, got); diff != "" {
						t.Errorf("crash at write %d, written %t:\n%s", k, written, diff)
					}
				}
			}
		})
	}
}

// outcome is what must not depend on crashes: the states, in order, the types of the events and how it ended.
type outcome struct {
	Path, Types []string
	Status      workflow.Status
	Output      string
	Error       string
}

func crashAt(t *testing.T, k int, written bool, answer func(*Engine, string) error) (o outcome, writes int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{answer: answer}
		memory := statetest.MemoryHistories()
		store := &crashing{Store: memory, k: k, written: written}
		options := Options{Machines: []*Machine{parse(t, "rollout", small)}, Functions: r.functions()}
		e, err := Open(t.Context(), store, options)
		if err != nil {
			t.Fatal(err)
		}
		r.engine.Store(e)
		if err := e.Start(t.Context(), "rollout", "a", []byte(`{"rollout":"x"}`)); err != nil && !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		select {
		case <-e.Done():
			if err := e.Close(); !errors.Is(err, errCrash) {
				t.Fatalf("the engine stopped because of %v", err)
			}
			e = open(t, memory, options)
			r.engine.Store(e)
			// Whoever started it cannot know whether it was, and tries again.
			if err := e.Start(t.Context(), "rollout", "a", []byte(`{"rollout":"x"}`)); err != nil && !fault.Is(err, fault.Conflict) {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		case <-time.After(time.Hour):
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		x := describe(t, e, "rollout")
		events := history(t, e, "rollout")
		o = outcome{Path: workflow.Path(events), Status: x.Status, Output: string(x.Output), Error: x.Error}
		for i, event := range events {
			o.Types = append(o.Types, event.Type)
			if event.ID != i+1 {
				t.Errorf("event %d has the number %d", i+1, event.ID)
			}
		}
		writes = store.appends
	})
	return o, writes
}

// Every write stands before what it announces: a function that is called was scheduled, and an end that was told is
// stored.
func TestNothingIsDoneBeforeItIsWritten(t *testing.T) {
	for k := 1; k <= 12; k++ {
		synctest.Test(t, func(t *testing.T) {
			r := &rig{answer: promote}
			memory := statetest.MemoryHistories()
			seen := func(what string, types ...string) {
				events, err := memory.Read(context.Background(), "rollout/a")
				if err != nil || len(events) == 0 {
					t.Errorf("%s and nothing is stored: %v", what, err)
					return
				}
				var last entry
				if err := json.Unmarshal(events[len(events)-1], &last); err != nil || !slices.Contains(types, last.Type) {
					t.Errorf("%s and the last event is %s", what, last.Type)
				}
			}
			functions := r.functions()
			for name, f := range functions {
				functions[name] = func(ctx context.Context, in json.RawMessage) (json.RawMessage, error) {
					seen(fmt.Sprintf("%s was called", name), "TaskStarted")
					return f(ctx, in)
				}
			}
			e, err := Open(t.Context(), &crashing{Store: memory, k: k}, Options{
				Machines: []*Machine{parse(t, "rollout", small)}, Functions: functions,
				Ended: func(context.Context, workflow.Execution) { seen("its end was told", "ExecutionSucceeded") },
			})
			if err != nil {
				t.Fatal(err)
			}
			r.engine.Store(e)
			if err := e.Start(t.Context(), "rollout", "a", []byte(`{"rollout":"x"}`)); err == nil {
				<-e.Done()
			}
			if err := e.Close(); !errors.Is(err, errCrash) {
				t.Errorf("the engine stopped because of %v", err)
			}
		})
	}
}
