package asl

import (
	"slipway/internal/workflow"
)

// pass hands its input on, or a result of its own.
type pass struct {
	result   expr // Result or Parameters
	toResult resultPath
}

// wait waits so many seconds, or until a time.
type wait struct{ seconds, until expr }

// choice takes the first rule that holds.
type choice struct {
	rules     []rule
	otherwise string // Default
}

type rule struct {
	when test
	next string
}

// fail ends the execution.
type fail struct{ name, cause expr }

// state reads one state: what its type has, then whatever is left is refused.
func (r *reader) state(at, name string, v any) *state {
	o := r.object(at, v)
	r.tokens = nil
	s := &state{name: name}
	if name == "" || longer(name, workflow.MaxName) {
		r.fault(at, "its name must be of 1 to %d characters", workflow.MaxName)
	}
	o.comment()
	s.kind = o.word("Type")
	if s.kind != "Fail" {
		s.input, s.output = r.filter(o, "InputPath"), r.filter(o, "OutputPath")
	}
	switch s.kind {
	case "Task":
		s.task = r.task(o)
	case "Wait":
		s.wait = r.wait(o)
	case "Choice":
		s.choice = r.choice(o)
	case "Pass":
		s.pass = r.pass(o)
	case "Fail":
		s.fail = r.fail(o)
	case "Succeed":
	default:
		r.fault(o.at("Type"), "%q is not supported: only Task, Wait, Choice, Pass, Succeed, Fail", s.kind)
		o.skip()
	}
	switch s.kind {
	case "Task", "Wait", "Pass":
		s.next = r.next(o)
	}
	o.end()
	if s.task == nil || !s.task.token {
		for _, where := range r.tokens {
			r.fault(where, "only a task with .waitForTaskToken has a token")
		}
	}
	return s
}

// next reads Next or End, exactly one of which must be there.
func (r *reader) next(o object) string {
	next := o.maybe("Next")
	end, has := o.take("End")
	switch {
	case has && end != true:
		r.fault(o.at("End"), "can only be true")
	case has == (next != ""):
		r.fault(o.path, "must have one of Next and End")
	}
	return next
}

// filter reads InputPath or OutputPath: the whole by default, an empty object for null.
func (r *reader) filter(o object, name string) expr {
	switch v, ok := o.take(name); {
	case !ok:
		return path{text: "$"}.get
	case v == nil:
		return constant(map[string]any{})
	default:
		return r.path(o.at(name), v).get
	}
}

// resultPath says where a result goes: into the input at a path, or nowhere (null), which leaves the input as it was.
type resultPath struct {
	path
	nowhere bool
}

func (r *reader) resultPath(o object) resultPath {
	v, ok := o.take("ResultPath")
	if !ok {
		return resultPath{}
	}
	if v == nil {
		return resultPath{nowhere: true}
	}
	p := r.path(o.at("ResultPath"), v)
	if p.context {
		r.fault(o.at("ResultPath"), "the context object cannot be written")
	}
	for _, step := range p.steps {
		if _, item := step.(int); item {
			r.fault(o.at("ResultPath"), "path %q: only names are supported here", p.text)
		}
	}
	return resultPath{path: p}
}

func (p resultPath) merge(input, result any) (any, error) {
	if p.nowhere {
		return input, nil
	}
	return p.put(input, result)
}

func (r *reader) pass(o object) *pass {
	p := &pass{toResult: r.resultPath(o)}
	result, fixed := o.take("Result")
	params, dynamic := o.take("Parameters")
	switch {
	case fixed && dynamic:
		r.fault(o.at("Result"), "and Parameters cannot both be there")
	case fixed:
		p.result = constant(result)
	case dynamic:
		p.result = r.template(o.at("Parameters"), params)
	default:
		p.result = path{text: "$"}.get
	}
	return p
}

func (r *reader) wait(o object) *wait {
	w := &wait{seconds: o.either("Seconds", r.seconds(0)), until: o.either("Timestamp", func(at string, v any) expr {
		if _, ok := timestamp(v); !ok {
			r.fault(at, "%s is no RFC 3339 time with T and Z", short(v))
		}
		return constant(v)
	})}
	if (w.seconds == nil) == (w.until == nil) {
		r.fault(o.path, "must have one of Seconds, SecondsPath, Timestamp and TimestampPath")
	}
	return w
}

// seconds compiles a literal number of seconds.
func (r *reader) seconds(least int64) func(at string, v any) expr {
	return func(at string, v any) expr {
		if _, ok := whole(v, least); !ok {
			r.fault(at, "%s is not a whole number of seconds from %d", short(v), least)
		}
		return constant(v)
	}
}

func (r *reader) choice(o object) *choice {
	c := &choice{otherwise: o.maybe("Default")}
	for i, v := range r.list(o.at("Choices"), o.need("Choices")) {
		item := r.object(index(o.at("Choices"), i), v)
		item.comment()
		next := item.word("Next")
		c.rules = append(c.rules, rule{r.condition(item), next})
	}
	return c
}

func (r *reader) fail(o object) *fail {
	text := func(at string, v any) expr { return constant(r.text(at, v)) }
	return &fail{o.either("Error", text), o.either("Cause", text)}
}
