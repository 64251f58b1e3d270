package fault

import (
	"errors"
	"fmt"
	"testing"
)

func TestAWriteWithoutAnAnswerStaysMarkedThroughKindsAndWraps(t *testing.T) {
	cause := errors.New("connection reset by peer")
	err := fmt.Errorf("apply: %w", Wrap(Unavailable, InFlight(cause)))
	if !IsInFlight(err) {
		t.Error("the mark is lost under a kind and a wrap")
	}
	if !Is(err, Unavailable) {
		t.Errorf("the mark changed the kind to %v", Of(err))
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if got := InFlight(cause).Error(); got != cause.Error() {
		t.Errorf("the mark changed the text to %q", got)
	}
}

func TestNothingElseIsInFlight(t *testing.T) {
	if InFlight(nil) != nil {
		t.Error("nil became an error")
	}
	for _, err := range []error{nil, errors.New("x"), New(Unavailable, "x")} {
		if IsInFlight(err) {
			t.Errorf("%v is in flight", err)
		}
	}
}
