package drive

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"slipway/internal/analysis"
	"slipway/internal/fault"
	"slipway/internal/record"
	"slipway/internal/rollout"
)

// call is a word that tells this call apart from another one of the same attempt.
func call() string { return rand.Text() }

// wait registers the token of a Pause, or of the time between two measurements, so that people and the tick can end it
// (rule 8). What was ended already ends at once.
func (r run) wait(ctx context.Context) (State, error) {
	decided := false
	_, err := r.update(ctx, func(rec *record.Rollout) (err error) {
		decided, err = rec.ClaimWait(r.attempt, r.call.State.Step, r.call.Token)
		return err
	})
	if err != nil {
		return State{}, err
	}
	if decided {
		return r.call.State, r.answer(ctx, r.call.Token)
	}
	return r.call.State, nil
}

// answer ends a wait: the machine looks what is next. A dead token is no error, since the record decides (rule 13).
func (d *Drive) answer(ctx context.Context, token string) error {
	err := d.Executions.Succeed(ctx, token, json.RawMessage(`{}`))
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// send answers the token of a record as it was decided.
func (d *Drive) send(ctx context.Context, rec record.Rollout) error {
	switch rec.Token.Answer {
	case record.Promoted:
		return d.answer(ctx, rec.Token.Handle)
	case record.Stopped:
		err := d.Executions.Fail(ctx, rec.Token.Handle, "Aborted", rec.Why)
		if fault.Is(err, fault.NotFound) {
			return nil
		}
		return err
	case record.Pending:
	}
	return nil
}

// due adds to the state whether a measurement is due before what comes next, and else lets a wait end when one is.
func (w *world) due(s State, next rollout.Next) State {
	for _, m := range next.Measure {
		run := w.runs[m.Name]
		if run == nil {
			s.Measure = true
			return s
		}
		plan := analysis.Next(run.DeepCopy(), w.in.Now)
		if len(plan.Due) > 0 || plan.Phase.Completed() {
			s.Measure = true
			return s
		}
		if left := max(seconds(plan.At.Sub(w.in.Now)), 1); next.Task == rollout.Analyze && s.After == 0 || waits(next.Task) && left < s.After {
			s.After = left
		}
	}
	if waits(next.Task) && s.After < 1 {
		s.After = 1
	}
	return s
}

// waits reports whether a task is a wait that a token ends.
func waits(task rollout.Task) bool { return task == rollout.Pause || task == rollout.Analyze }

// rest is how long the janitor and a tending tick go on looking at once; what takes longer is for the next tick.
const rest = 10 * time.Second
