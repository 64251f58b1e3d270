package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	. "slipway/internal/fault"
)

var errCause = errors.New("the cause")

func TestTheKindOfAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want Kind
	}{
		"nothing":                                {nil, Internal},
		"nobody sorted it":                       {errCause, Internal},
		"sorted when made":                       {New(Invalid, "refuse %s", "x"), Invalid},
		"sorted later":                           {Wrap(Denied, errCause), Denied},
		"sorted with a time":                     {Later(Busy, time.Second, errCause), Busy},
		"wrapped by others since":                {fmt.Errorf("read: %w", fmt.Errorf("get: %w", New(NotFound, "x"))), NotFound},
		"sorted twice, the outer counts":         {Wrap(Superseded, fmt.Errorf("x: %w", New(Conflict, "y"))), Superseded},
		"made around a sorted one":               {New(Invalid, "x: %w", New(Unavailable, "y")), Invalid},
		"joined with an unsorted one":            {errors.Join(errCause, New(Unfinished, "x")), Unfinished},
		"a deadline":                             {context.DeadlineExceeded, Unavailable},
		"a wrapped deadline":                     {fmt.Errorf("list: %w", context.DeadlineExceeded), Unavailable},
		"a cancelled context":                    {fmt.Errorf("list: %w", context.Canceled), Unavailable},
		"a deadline that somebody sorted":        {Wrap(Invalid, context.DeadlineExceeded), Invalid},
		"a deadline within what is called so":    {New(Internal, "x: %w", context.Canceled), Internal},
		"marked as in flight, the kind stays":    {InFlight(New(Denied, "x")), Denied},
		"the cause of a context is not the kind": {fmt.Errorf("x: %w", errCause), Internal},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Of(tc.err); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if got := Is(tc.err, tc.want); got != (tc.err != nil) {
				t.Errorf("Is says %v", got)
			}
		})
	}
}

func TestNilIsOfNoKindAndStaysNil(t *testing.T) {
	if Is(nil, Internal) {
		t.Error("nil is internal")
	}
	if Wrap(Invalid, nil) != nil || Later(Busy, time.Second, nil) != nil {
		t.Error("nil became an error")
	}
}

func TestAKindKeepsTextAndCause(t *testing.T) {
	for _, err := range []error{Wrap(Invalid, errCause), Later(Busy, time.Second, errCause), New(Invalid, "%w", errCause)} {
		if err.Error() != errCause.Error() || !errors.Is(err, errCause) {
			t.Errorf("%v lost its text or its cause", err)
		}
	}
	if got := New(NotFound, "get %s: %d", "a", 7).Error(); got != "get a: 7" {
		t.Errorf("got %q", got)
	}
}

func TestTheTimeToWait(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want time.Duration
	}{
		"of nothing":                         {nil, 0},
		"of an error nobody sorted":          {errCause, 0},
		"of a kind without a time":           {New(Busy, "x"), 0},
		"as it was given":                    {Later(Busy, time.Minute, errCause), time.Minute},
		"through wraps":                      {fmt.Errorf("a: %w", Later(Busy, time.Minute, errCause)), time.Minute},
		"through a kind given later":         {Wrap(Unavailable, fmt.Errorf("a: %w", Later(Busy, time.Minute, errCause))), time.Minute},
		"the outer one where there are two":  {Later(Busy, time.Second, Later(Busy, time.Minute, errCause)), time.Second},
		"the inner one where the outer is 0": {Later(Busy, 0, Later(Busy, time.Minute, errCause)), time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := After(tc.err)
			if got != tc.want || ok != (tc.want > 0) {
				t.Errorf("got %s, %v; want %s", got, ok, tc.want)
			}
		})
	}
}

func TestEveryKindHasANameOfItsOwn(t *testing.T) {
	seen := map[string]Kind{}
	for k := Internal; k <= Unfinished; k++ {
		if other, twice := seen[k.String()]; twice || k.String() == "" {
			t.Errorf("kind %d is called %q, as %d is", k, k, other)
		}
		seen[k.String()] = k
	}
}

func ExampleLater() {
	err := fmt.Errorf("sync shop: %w", Later(Busy, 90*time.Second, errors.New("another run holds the lock")))
	after, _ := After(err)
	fmt.Println(Of(err), "again in", after)
	// Output: busy again in 1m30s
}
