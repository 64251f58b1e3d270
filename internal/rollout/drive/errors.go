package drive

import (
	"errors"

	"slipway/internal/fault"
	"slipway/internal/record"
)

// The errors by which the machine goes on. A state machine knows an error by the name of its type, so they are returned
// unwrapped (reference aws.md 3: errorType is the type of the outermost error).

// Superseded says: another execution, or the janitor, holds the record. The machine ends and writes nothing (rule 3).
type Superseded struct{ Reason string }

func (e *Superseded) Error() string { return e.Reason }

// Aborted says: somebody asked for an abort. The machine rolls back (rules 4 and 8).
type Aborted struct{ Reason string }

func (e *Aborted) Error() string { return e.Reason }

// Again says: something cannot be reached, or moved too often, or another call of this attempt was faster. The machine tries
// again.
type Again struct{ Cause error }

func (e *Again) Error() string { return e.Cause.Error() }
func (e *Again) Unwrap() error { return e.Cause }

// Refused says: what is declared is wrong and stays wrong. The machine rolls back.
type Refused struct{ Cause error }

func (e *Refused) Error() string { return e.Cause.Error() }
func (e *Refused) Unwrap() error { return e.Cause }

// named is err as one of the four.
func named(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, record.ErrAborted):
		return &Aborted{err.Error()}
	case fault.Is(err, fault.Superseded):
		return &Superseded{err.Error()}
	case fault.Is(err, fault.Invalid):
		return &Refused{err}
	}
	return &Again{err}
}

// moved reports whether a write met an object that somebody else had changed. That another attempt holds the record is
// no such thing: see lost.
func moved(err error) bool {
	var l *lost
	return fault.Is(err, fault.Conflict) && !errors.As(err, &l)
}

// lost marks what the record answered: to read the cluster again does not help.
type lost struct{ err error }

func (l *lost) Error() string { return l.err.Error() }
func (l *lost) Unwrap() error { return l.err }

func ofRecord(err error) error {
	if err == nil {
		return nil
	}
	return &lost{err}
}
