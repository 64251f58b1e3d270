package asl

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// path is a reference path: it names one node of the input ($) or of the context object ($$).
type path struct {
	text    string
	context bool
	steps   []any // string: a field; int: an item
}

// parsePath reads $, $.a.b[0], $['a b'] and the same after $$. Anything that could select several nodes is refused.
func parsePath(text string) (path, error) {
	p := path{text: text}
	rest, ok := strings.CutPrefix(text, "$")
	if !ok {
		return p, fmt.Errorf("path %q does not begin with $", text)
	}
	rest, p.context = strings.CutPrefix(rest, "$")
	for rest != "" {
		step, after, err := cutStep(rest)
		if err != nil {
			return p, fmt.Errorf("path %q: %w", text, err)
		}
		p.steps, rest = append(p.steps, step), after
	}
	if p.context {
		return p, p.known()
	}
	return p, nil
}

func cutStep(s string) (step any, rest string, err error) {
	if name, ok := strings.CutPrefix(s, "."); ok {
		end := strings.IndexFunc(name, func(r rune) bool {
			return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})
		if end < 0 {
			end = len(name)
		}
		if end > 0 {
			return name[:end], name[end:], nil
		}
	} else if quoted, ok := strings.CutPrefix(s, "['"); ok {
		name, rest, ok := strings.Cut(quoted, "']")
		if ok && name != "" && !strings.ContainsAny(name, `'\`) {
			return name, rest, nil
		}
	} else if item, ok := strings.CutPrefix(s, "["); ok {
		digits, rest, _ := strings.Cut(item, "]")
		if n, err := strconv.ParseUint(digits, 10, 31); err == nil {
			return int(n), rest, nil
		}
	}
	return nil, "", fmt.Errorf("only .name, ['name'] and [0] are supported, not %q", s)
}

// contextFields are what the context object has here; Execution.Input goes on into the input.
var contextFields = []string{
	"Execution.Id", "Execution.Input", "Execution.Name", "Execution.StartTime", "State.EnteredTime", "State.Name",
	"State.RetryCount", "StateMachine.Id", "StateMachine.Name", "Task.Token",
}

func (p path) known() error {
	names := make([]string, len(p.steps))
	for i, s := range p.steps {
		names[i] = fmt.Sprint(s)
	}
	whole := strings.Join(names, ".")
	if slices.Contains(contextFields, whole) || strings.HasPrefix(whole, "Execution.Input.") {
		return nil
	}
	return fmt.Errorf("path %q: the context object has only %s", p.text, strings.Join(contextFields, ", "))
}

// scope is what paths read from.
type scope struct {
	input   any
	context map[string]any
}

// find reads the node; false if it is not there. A node that is null is there.
func (p path) find(s *scope) (any, bool) {
	at := s.input
	if p.context {
		at = s.context
	}
	for _, step := range p.steps {
		switch step := step.(type) {
		case string:
			object, ok := at.(map[string]any)
			if !ok {
				return nil, false
			}
			if at, ok = object[step]; !ok {
				return nil, false
			}
		case int:
			list, ok := at.([]any)
			if !ok || step >= len(list) {
				return nil, false
			}
			at = list[step]
		}
	}
	return at, true
}

// get is find as an expression: what is not there is States.Runtime, as on AWS for Parameters and for InputPath alike.
func (p path) get(s *scope) (any, error) {
	v, ok := p.find(s)
	if !ok {
		return nil, failure(nameRuntime, "The JSONPath '%s' could not be found in the input '%s'", p.text, short(s.input))
	}
	return v, nil
}

// put returns the input with v at the path. Objects on the way are made; what is there and is no object cannot be
// replaced by one. The input itself is left as it is: a catcher may need it again.
func (p path) put(input, v any) (any, error) {
	return putAt(p, p.steps, input, v)
}

func putAt(p path, steps []any, at, v any) (any, error) {
	if len(steps) == 0 {
		return v, nil
	}
	object, ok := at.(map[string]any)
	if !ok {
		return nil, failure(nameResultPath, "Unable to apply ReferencePath %s to input %s", p.text, short(at))
	}
	name := fmt.Sprint(steps[0])
	inner, ok := object[name]
	if !ok {
		inner = map[string]any{}
	}
	changed, err := putAt(p, steps[1:], inner, v)
	if err != nil {
		return nil, err
	}
	object = maps.Clone(object)
	object[name] = changed
	return object, nil
}

// short is a value for an error: enough to recognise it, never a whole payload.
func short(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	const most = 500
	if len(data) > most {
		return strings.ToValidUTF8(string(data[:most]), "") + "..."
	}
	return string(data)
}
