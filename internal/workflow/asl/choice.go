package asl

import (
	"strings"
)

// test is a compiled condition of a Choice.
type test func(*scope) (bool, error)

// condition compiles one rule: And, Or, Not of others, or one comparison of a Variable.
func (r *reader) condition(o object) test {
	defer o.end()
	var found []string
	for name := range o.left {
		if name != "Variable" {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		r.fault(o.path, "must have one of And, Or, Not or a comparison, not %d", len(found))
		o.skip()
		return nil
	}
	name := found[0]
	operand, _ := o.take(name)
	at := o.path + "." + name
	switch name {
	case "And":
		return all(r.conditions(at, operand), true)
	case "Or":
		return all(r.conditions(at, operand), false)
	case "Not":
		inner := r.condition(r.object(at, operand))
		return func(s *scope) (bool, error) {
			is, err := inner(s)
			return !is, err
		}
	}
	return r.comparison(o, name, operand)
}

func (r *reader) conditions(at string, v any) []test {
	var tests []test
	for i, item := range r.list(at, v) {
		tests = append(tests, r.condition(r.object(index(at, i), item)))
	}
	return tests
}

// all is And for want true and Or for want false: the first that is not as wanted decides.
func all(tests []test, want bool) test {
	return func(s *scope) (bool, error) {
		for _, t := range tests {
			is, err := t(s)
			if err != nil || is != want {
				return is, err
			}
		}
		return want, nil
	}
}

func (r *reader) comparison(o object, name string, operand any) test {
	at := o.path + "." + name
	variable := r.path(o.path+".Variable", o.need("Variable"))
	if name == "IsPresent" {
		want := r.boolean(at, operand)
		return func(s *scope) (bool, error) {
			_, is := variable.find(s)
			return is == want, nil
		}
	}
	if is, ok := types[name]; ok {
		want := r.boolean(at, operand)
		return func(s *scope) (bool, error) {
			v, err := variable.get(s)
			return is(v) == want, err
		}
	}
	compare, with := r.operator(at, name, operand)
	return func(s *scope) (bool, error) {
		a, err := variable.get(s)
		if err != nil {
			return false, err
		}
		b, err := with(s)
		if err != nil {
			return false, err
		}
		return compare(a, b), nil
	}
}

// operator finds a comparison by its name, such as NumericLessThanEqualsPath, and compiles its right side.
func (r *reader) operator(at, name string, operand any) (compare func(a, b any) bool, with expr) {
	if name == "StringMatches" {
		r.text(at, operand)
		return matches, constant(operand)
	}
	plain, isPath := strings.CutSuffix(name, "Path")
	for kind, compare := range kinds {
		order, ok := strings.CutPrefix(plain, kind)
		holds := orders[order]
		if !ok || holds == nil || kind == "Boolean" && order != "Equals" {
			continue
		}
		with := constant(operand)
		if isPath {
			with = r.path(at, operand).get
		} else if _, ok := compare(operand, operand); !ok {
			r.fault(at, "%s is no %s", short(operand), strings.ToLower(kind))
		}
		return func(a, b any) bool {
			c, ok := compare(a, b)
			return ok && holds(c)
		}, with
	}
	if why := refused[name]; why != "" {
		r.fault(at, "%s", why)
	} else {
		r.fault(at, "is no comparison")
	}
	return nil, nil
}
