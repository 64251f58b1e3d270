package asl

import (
	"cmp"
	"strings"
	"time"
)

// test is a compiled condition of a Choice.
type test func(*scope) (bool, error)

// orders are the comparisons by what they ask of cmp's answer.
var orders = map[string]func(int) bool{
	"Equals":            func(c int) bool { return c == 0 },
	"LessThan":          func(c int) bool { return c < 0 },
	"LessThanEquals":    func(c int) bool { return c <= 0 },
	"GreaterThan":       func(c int) bool { return c > 0 },
	"GreaterThanEquals": func(c int) bool { return c >= 0 },
}

// kinds compare two values of one type; false if either is of another type, which makes the comparison false and is
// no error (Amazon States Language, "Choice state").
var kinds = map[string]func(a, b any) (int, bool){
	"Boolean":   compareBooleans,
	"Numeric":   compareNumbers,
	"String":    compareStrings,
	"Timestamp": compareTimes,
}

// types are the tests for what a value is.
var types = map[string]func(any) bool{
	"IsNull":      func(v any) bool { return v == nil },
	"IsBoolean":   func(v any) bool { _, ok := v.(bool); return ok },
	"IsNumeric":   func(v any) bool { _, ok := number(v); return ok },
	"IsString":    func(v any) bool { _, ok := v.(string); return ok },
	"IsTimestamp": func(v any) bool { _, ok := timestamp(v); return ok },
}

func compareBooleans(a, b any) (int, bool) {
	x, okX := a.(bool)
	y, okY := b.(bool)
	if x == y {
		return 0, okX && okY
	}
	return 1, okX && okY
}

func compareNumbers(a, b any) (int, bool) {
	x, okX := number(a)
	y, okY := number(b)
	return cmp.Compare(x, y), okX && okY
}

func compareStrings(a, b any) (int, bool) {
	x, okX := a.(string)
	y, okY := b.(string)
	return strings.Compare(x, y), okX && okY
}

func compareTimes(a, b any) (int, bool) {
	x, okX := timestamp(a)
	y, okY := timestamp(b)
	return x.Compare(y), okX && okY
}

// timestamp reads RFC 3339 with an upper-case T and Z, which is all that the states language takes.
func timestamp(v any) (time.Time, bool) {
	text, _ := v.(string) //nolint:errcheck // what is no string is no time either
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

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
	r.fault(at, "is no comparison")
	return nil, nil
}

// matches is StringMatches: * stands for any text, \* for itself and \\ for a backslash.
func matches(v, pattern any) bool {
	text, okText := v.(string)
	glob, okGlob := pattern.(string)
	if !okText || !okGlob {
		return false
	}
	pieces := cutGlob(glob)
	rest, ok := strings.CutPrefix(text, pieces[0])
	if !ok || len(pieces) == 1 {
		return ok && rest == ""
	}
	last := pieces[len(pieces)-1]
	for _, piece := range pieces[1 : len(pieces)-1] {
		if _, rest, ok = strings.Cut(rest, piece); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, last)
}

func cutGlob(glob string) []string {
	var pieces []string
	start := 0
	for i := 0; i < len(glob); i++ {
		switch glob[i] {
		case '\\':
			i++
		case '*':
			pieces = append(pieces, unescape(glob[start:i]))
			start = i + 1
		}
	}
	return append(pieces, unescape(glob[start:]))
}
