package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/internal/fault"
)

// The tasks that the schedules name. There is a schedule for each, and not one that counts minutes: a minute that comes
// late or not at all would skip a comparison, and each task can be a function with the credentials that it needs (to
// compare takes git tokens, to dispatch takes none).
const (
	TaskDrift    = "drift"    // each minute: Dispatch.Run
	TaskBranches = "branches" // each five minutes: branch tips are compared with what is wanted (lost webhooks)
)

// Schedule does what EventBridge Scheduler asks for. The input of a schedule is ours: {"task": "drift"}.
type Schedule struct {
	Tasks map[string]func(ctx context.Context) error // by the name in the event; those that this function has
	Log   *slog.Logger
}

// Handle does one task, until a margin before the invocation's end, and logs one line. It returns the error, so that
// Lambda counts it; nothing is tried again, since the next turn is soon.
func (s Schedule) Handle(ctx context.Context, event json.RawMessage) error {
	start := time.Now()
	task, err := s.run(ctx, event)
	attrs := []slog.Attr{slog.String("task", cut(task)), slog.Int64("ms", time.Since(start).Milliseconds())}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelError
		if errors.Is(err, context.Canceled) { // the process is being stopped
			level = slog.LevelInfo
		}
		attrs = append(attrs, slog.String("error", cut(strings.ReplaceAll(err.Error(), "\n", "; "))))
	}
	s.Log.LogAttrs(ctx, level, "schedule", attrs...)
	return err
}

func (s Schedule) run(ctx context.Context, event []byte) (string, error) {
	var e struct {
		Task string `json:"task"`
	}
	if err := decode(event, "schedule", &e); err != nil {
		return "", err
	}
	do, ok := s.Tasks[e.Task]
	if !ok {
		return e.Task, fault.New(fault.Invalid, "run task %.80q: there are %s", e.Task, strings.Join(slices.Sorted(maps.Keys(s.Tasks)), ", "))
	}
	ctx, cancel, err := Within(ctx)
	if err != nil {
		return e.Task, err
	}
	defer cancel()
	return e.Task, do(ctx)
}

// Within is ctx until a margin before the invocation's end, which is for the answer and the log. Unavailable if no time
// is left.
func Within(ctx context.Context) (context.Context, context.CancelFunc, error) {
	end, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}, nil
	}
	if time.Until(end) <= margin {
		return ctx, func() {}, fault.New(fault.Unavailable, "the invocation's time is over")
	}
	ctx, cancel := context.WithDeadline(ctx, end.Add(-margin))
	return ctx, cancel, nil
}
