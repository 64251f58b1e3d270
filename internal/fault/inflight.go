package fault

import "errors"

type inFlight struct{ err error }

func (f *inFlight) Error() string { return f.err.Error() }
func (f *inFlight) Unwrap() error { return f.err }

// InFlight marks the error of a write that ended without an answer: it may have happened, may still happen, or may
// never (faults.md C.6 row 28). Whoever sees it reads again before writing again. The kind stays; nil stays nil.
func InFlight(err error) error {
	if err == nil {
		return nil
	}
	return &inFlight{err: err}
}

// IsInFlight reports whether err or one it wraps was marked by InFlight.
func IsInFlight(err error) bool {
	var f *inFlight
	return errors.As(err, &f)
}
