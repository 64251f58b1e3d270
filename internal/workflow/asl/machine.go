// Package asl interprets the part of the Amazon States Language that our state machines use, from the same files that
// AWS runs: JSONPath; Task, Wait, Choice, Pass, Succeed, Fail; Retry, Catch, timeouts, heartbeats and task tokens. What
// it does not know it refuses by path when it loads a definition. Each event is stored before it is acted upon, and an
// execution is nothing but the fold over its events, so a killed process goes on where it was.
package asl

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"slipway/internal/fault"
)

// Machine is a loaded definition.
type Machine struct {
	name    string
	source  []byte // as it is after substitution: an execution keeps the definition it was started with
	first   *state
	timeout time.Duration // 0: none
	states  map[string]*state
}

// state is one state: what all have, and what its type has. Of a Succeed all of the latter are nil.
type state struct {
	name   string
	kind   string // its Type
	next   string // "" where the execution ends, or where a Choice decides
	input  expr   // InputPath
	output expr   // OutputPath

	task   *task
	wait   *wait
	choice *choice
	pass   *pass
	fail   *fail
}

// substitution is the form that SAM's DefinitionSubstitutions take.
var substitution = regexp.MustCompile(`\$\{([A-Za-z0-9_]*)\}`)

// Parse loads a definition. Each ${Name} in it becomes the substitution of that name, as SAM does it. Invalid, with
// every fault by its path, if there is anything in it that this interpreter does not run as AWS would.
func Parse(name string, definition []byte, substitutions map[string]string) (*Machine, error) {
	r := &reader{}
	definition = substitution.ReplaceAllFunc(definition, func(ref []byte) []byte {
		key := string(ref[2 : len(ref)-1])
		value, ok := substitutions[key]
		if !ok {
			r.fault("definition", "${%s} has no substitution", key)
		}
		quoted, err := encode(value)
		if err != nil {
			r.fault("definition", "${%s}: %w", key, err)
		}
		return quoted[1 : len(quoted)-1]
	})
	m := &Machine{name: name, source: definition, states: map[string]*state{}}
	if !plainName.MatchString(name) {
		r.fault("name", "%q is no name for a machine", name)
	}
	switch v, err := decode(definition); {
	case err != nil:
		r.fault("definition", "%w", err)
	default:
		m.read(r, v)
	}
	if err := r.err(); err != nil {
		return nil, fault.New(fault.Invalid, "load state machine %s: %w", name, err)
	}
	return m, nil
}

// plainName is a name that needs no escaping anywhere; of more characters AWS allows CloudWatch takes none.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (m *Machine) read(r *reader, v any) {
	top := r.object("definition", v)
	top.comment()
	if v := top.maybe("Version"); v != "" && v != "1.0" {
		r.fault("Version", "is %q, not 1.0", v)
	}
	if q, ok := top.left["QueryLanguage"]; ok && q == "JSONPath" {
		delete(top.left, "QueryLanguage")
	}
	if v, ok := top.take("TimeoutSeconds"); ok {
		n, ok := whole(v, 1)
		if !ok {
			r.fault("TimeoutSeconds", "is not a whole number of seconds from 1")
		}
		m.timeout = time.Duration(n) * time.Second
	}
	start := top.word("StartAt")
	states := r.object("States", top.need("States"))
	top.end()
	for _, name := range slices.Sorted(maps.Keys(states.left)) {
		m.states[name] = r.state(states.at(name), name, states.left[name])
	}
	m.first = m.states[start]
	switch {
	case m.first != nil:
		m.link(r)
	case start != "":
		r.fault("StartAt", "there is no state %q", start)
	}
}

// link checks that every state that is named is there and that every state can be reached.
func (m *Machine) link(r *reader) {
	reached := map[string]bool{m.first.name: true}
	todo := []*state{m.first}
	for len(todo) > 0 {
		s := todo[0]
		todo = todo[1:]
		for _, to := range s.targets() {
			target := m.states[to.next]
			switch {
			case to.next == "": // reported where it was read
			case target == nil:
				r.fault(to.at, "there is no state %q", to.next)
			case !reached[to.next]:
				reached[to.next] = true
				todo = append(todo, target)
			}
		}
	}
	for name := range m.states {
		if !reached[name] {
			r.fault("States."+name, "cannot be reached from StartAt")
		}
	}
}

// target is a state that is named somewhere, and where.
type target struct{ at, next string }

func (s *state) targets() []target {
	at := "States." + s.name
	var all []target
	if s.next != "" {
		all = append(all, target{at + ".Next", s.next})
	}
	if s.task != nil {
		for i, c := range s.task.catchers {
			all = append(all, target{index(at+".Catch", i) + ".Next", c.next})
		}
	}
	if s.choice != nil {
		for i, rule := range s.choice.rules {
			all = append(all, target{index(at+".Choices", i) + ".Next", rule.next})
		}
		if s.choice.otherwise != "" {
			all = append(all, target{at + ".Default", s.choice.otherwise})
		}
	}
	return all
}

// functions are the names of the functions that the machine calls, by where they are named.
func (m *Machine) functions() map[string]string {
	all := map[string]string{}
	for name, s := range m.states {
		if s.task != nil {
			all["States."+name+".Parameters.FunctionName"] = s.task.function
		}
	}
	return all
}
