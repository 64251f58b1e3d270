package asl

import (
	"cmp"
	"strings"
	"time"
)

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
