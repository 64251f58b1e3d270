package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// intrinsics are the functions that our machines use; each checks its arguments when it is loaded.
var intrinsics = map[string]func([]argument) (expr, error){
	"States.Format":       format,
	"States.JsonToString": one(jsonToString),
	"States.StringToJson": one(stringToJSON),
	"States.MathAdd":      mathAdd,
}

func one(f func(any) (any, error)) func([]argument) (expr, error) {
	return func(args []argument) (expr, error) {
		if len(args) != 1 {
			return nil, fmt.Errorf("%d arguments, not 1", len(args))
		}
		return func(s *scope) (any, error) {
			v, err := args[0].expr(s)
			if err != nil {
				return nil, err
			}
			return f(v)
		}, nil
	}
}

func jsonToString(v any) (any, error) {
	data, err := encode(v)
	return string(data), err
}

func stringToJSON(v any) (any, error) {
	text, ok := v.(string)
	if !ok {
		return nil, failure(nameIntrinsic, "States.StringToJson: %s is not a string", short(v))
	}
	parsed, err := decode([]byte(text))
	if err != nil {
		return nil, failure(nameIntrinsic, "States.StringToJson: %s is not JSON: %s", short(v), err)
	}
	return parsed, nil
}

// format is States.Format('a {} b', value): each {} takes the next value. Its pieces are cut when it is loaded.
func format(args []argument) (expr, error) {
	if len(args) == 0 || args[0].literal == nil {
		return nil, errors.New("the first argument is not a literal string")
	}
	pieces, err := cutFormat(*args[0].literal)
	if err != nil {
		return nil, err
	}
	if len(pieces) != len(args) {
		return nil, fmt.Errorf("%d values for %d {}", len(args)-1, len(pieces)-1)
	}
	return func(s *scope) (any, error) {
		text := pieces[0]
		for i, arg := range args[1:] {
			v, err := arg.expr(s)
			if err != nil {
				return nil, err
			}
			switch v := v.(type) {
			case string:
				text += v
			case json.Number, bool, nil:
				text += short(v)
			default:
				return nil, failure(nameIntrinsic, "States.Format: %s is neither a string nor a number", short(v))
			}
			text += pieces[i+1]
		}
		return text, nil
	}, nil
}

func cutFormat(literal string) ([]string, error) {
	var pieces []string
	start := 0
	for i := 0; i < len(literal); i++ {
		switch literal[i] {
		case '\\':
			i++
		case '{':
			if !strings.HasPrefix(literal[i:], "{}") {
				return nil, fmt.Errorf(`{ without } in %q: write \{`, literal)
			}
			pieces = append(pieces, unescape(literal[start:i]))
			i++
			start = i + 1
		case '}':
			return nil, fmt.Errorf(`} without { in %q: write \}`, literal)
		}
	}
	return append(pieces, unescape(literal[start:])), nil
}

// mathAdd rounds to whole numbers, as AWS does, and stays within 32 bits, which is what AWS documents.
func mathAdd(args []argument) (expr, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("%d arguments, not 2", len(args))
	}
	return func(s *scope) (any, error) {
		sum := 0.0
		for _, arg := range args {
			v, err := arg.expr(s)
			if err != nil {
				return nil, err
			}
			n, ok := number(v)
			if !ok {
				return nil, failure(nameIntrinsic, "States.MathAdd: %s is not a number", short(v))
			}
			sum += math.Round(n)
		}
		if sum < math.MinInt32 || sum > math.MaxInt32 {
			return nil, failure(nameIntrinsic, "States.MathAdd: %g is out of range", sum)
		}
		return json.Number(strconv.FormatFloat(sum, 'f', 0, 64)), nil
	}, nil
}

func number(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}
