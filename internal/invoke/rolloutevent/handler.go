// Package rolloutevent takes in what the functions rollout and analysis are invoked with, and hands it to the rollouts: the
// tasks of the state machine, what a person asks through the other one, and the end of an execution. It lies apart from
// invoke because it knows its use case: the webhook links invoke, and must stay light.
package rolloutevent

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"time"

	"slipway/internal/fault"
	"slipway/internal/invoke"
	"slipway/internal/manifest"
	"slipway/internal/rollout/drive"
)

// Rollouts are driven; drive.Drive is one.
type Rollouts interface {
	Task(ctx context.Context, c drive.Call) (drive.State, error)
	Control(ctx context.Context, c drive.Control) error
	Janitor(ctx context.Context, k drive.Key, fence uint64) error
}

// Handler does what an event asks for.
type Handler struct {
	Rollouts Rollouts
	Log      *slog.Logger
}

// textCap bounds one field of a log line, in bytes.
const textCap = 1000

// Handle does it until a margin before the invocation's end, and logs one line. Its answer to a task is the machine's next
// state. Errors are returned as they are: the machine knows them by the name of their type.
func (h Handler) Handle(ctx context.Context, event json.RawMessage) (any, error) {
	begin := time.Now()
	e, err := Parse(event)
	if err != nil {
		err = &drive.Refused{Cause: err}
		h.log(ctx, begin, err)
		return nil, err
	}
	ctx, cancel, err := invoke.Within(ctx)
	if err != nil {
		return nil, &drive.Again{Cause: err}
	}
	defer cancel()
	switch {
	case e.Ended != nil:
		err = h.Rollouts.Janitor(ctx, e.Ended.Rollout, e.Ended.Fence)
		h.log(ctx, begin, err, slog.String("rollout", e.Ended.Rollout.String()), slog.String("execution", e.Ended.Name), slog.String("status", e.Ended.Status))
		return nil, err
	case e.Control != nil:
		err = h.Rollouts.Control(ctx, *e.Control)
		h.log(ctx, begin, err, slog.String("rollout", e.Control.Rollout), slog.String("action", e.Control.Action))
		return "accepted", err
	}
	s, err := h.Rollouts.Task(ctx, *e.Task)
	attrs := []slog.Attr{
		slog.String("rollout", e.Task.State.Rollout), slog.Uint64("fence", e.Task.State.Fence), slog.String("task", string(e.Task.Task)),
		slog.Bool("wait", e.Task.Token != ""), slog.Uint64("retry", e.Task.Retry),
	}
	if err == nil {
		attrs = append(attrs, slog.String("next", string(s.Task)), slog.Int64("after", s.After), slog.Int("step", int(s.Step)))
	}
	if s.Why != "" {
		attrs = append(attrs, slog.String("why", s.Why))
	}
	h.log(ctx, begin, err, attrs...)
	return s, err
}

// log writes the line of one event. That another execution goes on, or an abort is asked for, is no trouble.
func (h Handler) log(ctx context.Context, begin time.Time, err error, attrs ...slog.Attr) {
	var superseded *drive.Superseded
	var aborted *drive.Aborted
	var again *drive.Again
	level := slog.LevelInfo
	switch {
	case err == nil, errors.As(err, &superseded), errors.As(err, &aborted), errors.Is(err, context.Canceled):
	case errors.As(err, &again), fault.Is(err, fault.Busy):
		level = slog.LevelWarn
	default:
		level = slog.LevelError
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	for i, a := range attrs {
		if a.Value.Kind() == slog.KindString {
			attrs[i] = slog.String(a.Key, manifest.CleanText(strings.ReplaceAll(a.Value.String(), "\n", "; "), textCap))
		}
	}
	h.Log.LogAttrs(ctx, level, "rollout", append(attrs, slog.Int64("ms", time.Since(begin).Milliseconds()))...)
}
