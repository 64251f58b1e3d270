package analysis

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// holds evaluates a condition over a result: a float64, a []float64, or nil. A condition that does not compile, panics,
// reads past the end of a list, does not yield true or false, or needs more than it may, is an error
// (argo-rollouts utils/evaluate/evaluate.go).
func holds(condition string, result any) (bool, error) {
	out, err := evaluate(condition, map[string]any{
		"result":  result,
		"asInt":   asInt,
		"asFloat": asFloat,
		"isNaN":   math.IsNaN,
		"isInf":   isInf,
		// These two look at the result, whatever they are given, as in Argo.
		"isNil": func(any) bool { return isNil(result) },
		"default": func(_, otherwise any) any {
			if isNil(result) {
				return otherwise
			}
			return result
		},
	})
	if err != nil {
		return false, err
	}
	b, ok := out.(bool)
	if !ok {
		return false, fmt.Errorf("expected bool, but got %T", out)
	}
	return b, nil
}

// evalTime evaluates the start or end of a range query: now() - duration("1h").
func evalTime(expression string) (time.Time, error) {
	out, err := evaluate(expression, map[string]any{"isNaN": math.IsNaN, "isInf": isInf})
	if err != nil {
		return time.Time{}, err
	}
	t, ok := out.(time.Time)
	if !ok {
		return time.Time{}, fmt.Errorf("expected time.Time, but got %T", out)
	}
	return t, nil
}

func evaluate(expression string, env map[string]any) (any, error) {
	program, err := compile(expression, expr.Env(env))
	if err != nil {
		return nil, err
	}
	out, err := expr.Run(program, env) // it turns a panic into an error
	return out, plain(err)
}

// compile checks and bounds an expression. The program is good for one run.
func compile(expression string, env expr.Option) (program *vm.Program, err error) {
	if len(expression) > conditionCap {
		return nil, fmt.Errorf("is longer than %d bytes", conditionCap)
	}
	defer func() {
		if r := recover(); r != nil { // while it folds constants
			program, err = nil, fmt.Errorf("compile: %v", r)
		}
	}()
	b := &bounded{}
	program, err = expr.Compile(expression, append(b.options(), env)...)
	if b.refused != nil {
		return nil, b.refused
	}
	return program, plain(err)
}

// plain is an error of the library without the picture of the place.
func plain(err error) error {
	var at *file.Error
	if errors.As(err, &at) {
		return errors.New(at.Message)
	}
	return err
}

// checkCondition reports what can be known to be wrong before there is a result: the syntax, names that do not exist, a
// type that is never true or false, what is refused.
func checkCondition(condition string) error {
	program, err := compile(condition, expr.Env(types.Map{
		"result":  types.Any,
		"asInt":   types.TypeOf(asInt),
		"asFloat": types.TypeOf(asFloat),
		"isNaN":   types.TypeOf(math.IsNaN),
		"isInf":   types.TypeOf(isInf),
		"isNil":   types.TypeOf(func(any) bool { return false }),
		"default": types.TypeOf(func(_, _ any) any { return nil }),
	}))
	if err != nil {
		return err
	}
	if t := program.Node().Type(); t.Kind() != reflect.Bool && t.Kind() != reflect.Interface {
		return fmt.Errorf("is a %s, not true or false", t)
	}
	return nil
}

func isInf(f float64) bool { return math.IsInf(f, 0) }

func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Map, reflect.Slice, reflect.Pointer:
		return r.IsNil()
	default:
		return false
	}
}

// asInt is the number in v, a text included, its fraction cut off. It panics where there is none, as Argo's does: the
// measurement is an Error then.
func asInt(v any) int64 {
	if s, ok := v.(string); ok {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			panic(err)
		}
		return n
	}
	switch r := reflect.ValueOf(v); {
	case r.IsValid() && r.CanInt():
		return r.Int()
	case r.IsValid() && r.CanUint():
		return int64(r.Uint()) //nolint:gosec // wraps around as Argo's does
	case r.IsValid() && r.CanFloat():
		return int64(r.Float())
	}
	panic(fmt.Sprintf("asInt() not supported on %T %v", v, v))
}

// asFloat is asInt for a float64.
func asFloat(v any) float64 {
	if s, ok := v.(string); ok {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			panic(err)
		}
		return f
	}
	switch r := reflect.ValueOf(v); {
	case r.IsValid() && r.CanInt():
		return float64(r.Int())
	case r.IsValid() && r.CanUint():
		return float64(r.Uint())
	case r.IsValid() && r.CanFloat():
		return r.Float()
	}
	panic(fmt.Sprintf("asFloat() not supported on %T %v", v, v))
}
