package fault

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachModeFailsItsCallAndKeepsToItsEffect(t *testing.T) {
	for _, c := range []struct {
		mode    Mode
		effects []int // the calls that had one
		failed  []int
	}{
		{Before, []int{1, 3}, []int{2}},
		{After, []int{1, 2, 3}, []int{2}},
		{Timeout, []int{1, 2, 3}, []int{2}},
		{Gone, []int{1}, []int{2, 3}},
	} {
		t.Run(c.mode.String(), func(t *testing.T) {
			i := New(2, c.mode)
			var effects, failed []int
			for k := 1; k <= 3; k++ {
				v, err := Value(t.Context(), i, "call", func() (int, error) { effects = append(effects, k); return k, nil })
				if err == nil {
					if v != k {
						t.Errorf("call %d returned %d", k, v)
					}
					continue
				}
				failed = append(failed, k)
				if !errors.Is(err, ErrInjected) || v != 0 {
					t.Errorf("call %d returned %d, %v", k, v, err)
				}
				if got := errors.Is(err, context.DeadlineExceeded); got != (c.mode == Timeout) {
					t.Errorf("deadline exceeded: %v, in %v", got, err)
				}
			}
			if diff := cmp.Diff([2][]int{c.effects, c.failed}, [2][]int{effects, failed}); diff != "" {
				t.Error(diff)
			}
			if !i.Fired() {
				t.Error("it did not fire")
			}
		})
	}
}

func TestACallsOwnErrorIsNotReplaced(t *testing.T) {
	own := errors.New("own")
	for _, mode := range []Mode{After, Timeout} {
		if err := New(1, mode).Do(t.Context(), "call", func() error { return own }); !errors.Is(err, own) {
			t.Errorf("%v: got %v", mode, err)
		}
	}
	var none *Injector
	if err := none.Do(t.Context(), "call", func() error { return own }); !errors.Is(err, own) {
		t.Errorf("without an injector: got %v", err)
	}
}

func TestEveryCallOfAScenarioFailsInEveryMode(t *testing.T) {
	runs := 0
	calls := EveryCall(t, func(t *testing.T, i *Injector) {
		runs++
		for range 2 { // the run, and its repetition
			if i.Do(t.Context(), "read", func() error { return nil }) == nil && i.Do(t.Context(), "write", func() error { return nil }) == nil {
				return
			}
			if i.Fired() {
				i = nil
			}
		}
	})
	if diff := cmp.Diff([]string{"read", "write"}, calls); diff != "" {
		t.Error(diff)
	}
	if want := 1 + 2*len(Modes); runs != want {
		t.Errorf("%d runs, want %d", runs, want)
	}
}
