// Package fault sorts errors into the few kinds that decide what happens next: tell the user, come back later, or stop.
// It knows nothing of where an error came from and never logs.
package fault

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says what an error means for the caller.
type Kind uint8

// The kinds. The zero value is Internal: an error that nobody sorted is a bug of ours until shown otherwise.
const (
	Internal    Kind = iota // a bug, or an error nobody sorted: retried within the queue's bound, then dead-lettered
	Invalid                 // the input is wrong and stays wrong: refused with the reason, never retried
	NotFound                // the thing asked for is not there
	Conflict                // someone else wrote first: read again
	Busy                    // someone else is at work: come back After
	Denied                  // credentials or permissions are missing: shown, retried within the queue's bound
	Unavailable             // the other side cannot answer now: come back
	Superseded              // a newer run or a newer commit has taken over: stop, write nothing
	Unfinished              // stopped in order before the time ended: goes on by the next wake-up
)

var names = map[Kind]string{
	Internal: "internal", Invalid: "invalid", NotFound: "not found", Conflict: "conflict", Busy: "busy",
	Denied: "denied", Unavailable: "unavailable", Superseded: "superseded", Unfinished: "unfinished",
}

func (k Kind) String() string { return names[k] }

type sorted struct {
	kind  Kind
	after time.Duration
	err   error
}

func (s *sorted) Error() string { return s.err.Error() }
func (s *sorted) Unwrap() error { return s.err }

// New is fmt.Errorf with a kind.
func New(k Kind, format string, args ...any) error {
	return &sorted{kind: k, err: fmt.Errorf(format, args...)}
}

// Wrap gives err a kind. An error that already has one keeps its cause and gets the new kind; nil stays nil.
func Wrap(k Kind, err error) error {
	if err == nil {
		return nil
	}
	return &sorted{kind: k, err: err}
}

// Later is Wrap with the time after which another try makes sense.
func Later(k Kind, after time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &sorted{kind: k, after: after, err: err}
}

// Of is the kind of the outermost sorted error in err's chain. A context's end is Unavailable; anything unsorted is Internal.
func Of(err error) Kind {
	var s *sorted
	switch {
	case errors.As(err, &s):
		return s.kind
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return Unavailable
	}
	return Internal
}

// Is reports whether err is not nil and of kind k.
func Is(err error, k Kind) bool { return err != nil && Of(err) == k }

// After is how long to wait before another try, and whether the error says so.
func After(err error) (time.Duration, bool) {
	for err != nil {
		var s *sorted
		if !errors.As(err, &s) {
			return 0, false
		}
		if s.after > 0 {
			return s.after, true
		}
		err = s.err
	}
	return 0, false
}
