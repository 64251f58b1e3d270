package state

import (
	"context"
	"time"
)

// Histories keeps the events of executions (internal/workflow/asl), each history under a key without zero bytes. It is
// the local engine's alone: on AWS, Step Functions keeps them.
type Histories interface {
	// Append adds events after the first at ones, all or none; fault.Conflict if there are not exactly that many. until
	// is how long the history is kept: the zero time as long as its execution runs.
	Append(ctx context.Context, key string, at int, events [][]byte, until time.Time) error
	// Read is all events of a history, oldest first; none if it is not known.
	Read(ctx context.Context, key string) ([][]byte, error)
	// Running is the keys of all histories whose last Append had no until, in order.
	Running(ctx context.Context) ([]string, error)
	// Expire forgets the histories whose until is not after now.
	Expire(ctx context.Context, now time.Time) error
}
