package asl

import (
	"fmt"
	"time"

	"slipway/internal/workflow"
)

// never is a time that does not come.
var never = time.Unix(1<<40, 0)

// next is what the execution does now: the events to write, or none and the time to look again. It changes nothing.
// beat is when the task was last heard of.
func (c *cursor) next(now, beat time.Time) ([]entry, time.Time) {
	over := never
	if c.machine.timeout > 0 {
		over = c.Started.Add(c.scaled(c.machine.timeout))
	}
	if !now.Before(over) {
		return []entry{{Event: workflow.Event{Type: "ExecutionTimedOut"}}}, now
	}
	if c.at == entered {
		batch, wake := c.step(now)
		return batch, earlier(wake, over)
	}
	batch, wake := c.attend(now, beat)
	return batch, earlier(wake, over)
}

// step is what a state does first.
func (c *cursor) step(now time.Time) ([]entry, time.Time) {
	s := c.state
	if s.fail != nil {
		return c.end(s.fail), now
	}
	input, err := s.input(c.scope(c.input, ""))
	switch {
	case err != nil:
		return c.giveUp(err), now
	case s.task != nil:
		return c.schedule(s.task, input), now
	case s.wait != nil:
		return c.wait(s.wait, input, now)
	case s.choice != nil:
		return c.choose(s.choice, input), now
	case s.pass != nil:
		return c.pass(s.pass, input), now
	}
	return c.leave(input, ""), now // Succeed
}

func (c *cursor) pass(p *pass, input any) []entry {
	result, err := p.result(c.scope(input, ""))
	if err != nil {
		return c.giveUp(err)
	}
	merged, err := p.toResult.merge(c.input, result)
	if err != nil {
		return c.giveUp(err)
	}
	return c.leave(merged, c.state.next)
}

func (c *cursor) choose(body *choice, input any) []entry {
	next := body.otherwise
	for _, rule := range body.rules {
		holds, err := rule.when(c.scope(input, ""))
		if err != nil {
			return c.giveUp(err)
		}
		if holds {
			next = rule.next
			break
		}
	}
	if next == "" {
		return c.giveUp(failure(nameNoChoice, "no rule holds for %s, and there is no Default", short(input)))
	}
	return c.leave(input, next)
}

// wait leaves the state when its time has come. The time follows from when the state was entered, not from now: a
// restart does not make it wait again.
func (c *cursor) wait(w *wait, input any, now time.Time) ([]entry, time.Time) {
	length, err := w.length(c.scope(input, ""), c.entered)
	if err != nil {
		return c.giveUp(err), now
	}
	if until := c.entered.Add(c.scaled(length)); now.Before(until) {
		return nil, until
	}
	return c.leave(input, c.state.next), now
}

func (w *wait) length(s *scope, from time.Time) (time.Duration, error) {
	if w.seconds != nil {
		return seconds(w.seconds, s, 0)
	}
	v, err := w.until(s)
	if err != nil {
		return 0, err
	}
	t, ok := timestamp(v)
	if !ok {
		return 0, failure(nameRuntime, "%s is no RFC 3339 time with T and Z", short(v))
	}
	return t.Sub(from), nil
}

// seconds evaluates a number of seconds, which a Path form finds only at run time.
func seconds(e expr, s *scope, least int64) (time.Duration, error) {
	v, err := e(s)
	if err != nil {
		return 0, err
	}
	n, ok := whole(v, least)
	if !ok {
		return 0, failure(nameRuntime, "%s is not a whole number of seconds from %d", short(v), least)
	}
	return time.Duration(n) * time.Second, nil
}

func (c *cursor) end(f *fail) []entry {
	text := func(e expr) (string, error) {
		if e == nil {
			return "", nil
		}
		v, err := e(c.scope(c.input, ""))
		if err != nil {
			return "", err
		}
		text, ok := v.(string)
		if !ok {
			return "", failure(nameRuntime, "%s is not a string", short(v))
		}
		return text, nil
	}
	name, err := text(f.name)
	if err != nil {
		return c.giveUp(err)
	}
	cause, err := text(f.cause)
	if err != nil {
		return c.giveUp(err)
	}
	return ending(cut(name, cause))
}

// leave ends the state with its output and enters the next one, or ends the execution where there is none. Both are
// written as one, so that an execution never rests between two states.
func (c *cursor) leave(output any, next string) []entry {
	output, err := c.state.output(c.scope(output, ""))
	if err != nil {
		return c.giveUp(err)
	}
	return c.hand(output, next)
}

func (c *cursor) hand(output any, next string) []entry {
	data, err := encode(output)
	if err != nil {
		return c.giveUp(err)
	}
	if len(data) > workflow.MaxData {
		return ending(tooLarge("output", c.state))
	}
	exited := entry{Event: workflow.Event{Type: c.state.kind + "StateExited", State: c.state.name, Data: data}}
	if next == "" {
		return []entry{exited, {Event: workflow.Event{Type: "ExecutionSucceeded", Data: data}}}
	}
	to := c.machine.states[next]
	return []entry{exited, {Event: workflow.Event{Type: to.kind + "StateEntered", State: to.name, Data: data}}}
}

func tooLarge(what string, s *state) *Failure {
	return failure(nameTooLarge, "The %s of the state '%s' is larger than %d bytes", what, s.name, workflow.MaxData)
}

// giveUp takes the first catcher that names the failure, else the execution fails.
func (c *cursor) giveUp(err error) []entry {
	f := asFailure(err)
	if c.state.task != nil {
		for _, catcher := range c.state.task.catchers {
			if !f.matches(catcher.errors) {
				continue
			}
			merged, err := catcher.toResult.merge(c.input, f.output())
			if err != nil {
				f = asFailure(err)
				break
			}
			return c.hand(merged, catcher.next)
		}
	}
	if f.Name == nameRuntime {
		f = cut(f.Name, fmt.Sprintf("An error occurred while executing the state '%s': %s", c.state.name, f.Cause))
	}
	return ending(f)
}

func ending(f *Failure) []entry {
	return []entry{{Event: workflow.Event{Type: "ExecutionFailed", Error: f.Name, Cause: f.Cause}}}
}
