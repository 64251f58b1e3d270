package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseExpr compiles a path or one of the intrinsic functions that are supported.
func parseExpr(text string) (expr, error) {
	if strings.HasPrefix(text, "$") {
		p, err := parsePath(text)
		return p.get, err
	}
	p := parser{rest: text}
	e, err := p.expr(maxNesting)
	if err == nil && p.rest != "" {
		err = fmt.Errorf("%q follows it", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", text, err)
	}
	return e, nil
}

const maxNesting = 10 // intrinsic functions within each other, as on AWS

// parser reads an intrinsic function: Name(argument, ...).
type parser struct{ rest string }

func (p *parser) spaces() { p.rest = strings.TrimLeft(p.rest, " ") }

func (p *parser) expr(depth int) (expr, error) {
	name, rest, ok := strings.Cut(p.rest, "(")
	if !ok {
		return nil, fmt.Errorf("%q is neither a path nor an intrinsic function", p.rest)
	}
	build, ok := intrinsics[strings.TrimSpace(name)]
	if !ok {
		return nil, fmt.Errorf("intrinsic function %q is not supported: only States.Format, States.JsonToString, States.MathAdd, States.StringToJson", name)
	}
	if depth == 0 {
		return nil, fmt.Errorf("functions are nested more than %d deep", maxNesting)
	}
	p.rest = rest
	args, err := p.args(depth - 1)
	if err != nil {
		return nil, err
	}
	return build(args)
}

// argument is one argument: an expression and, of a literal string, its text as it is written.
type argument struct {
	expr
	literal *string
}

func (p *parser) args(depth int) ([]argument, error) {
	var args []argument
	for {
		p.spaces()
		if rest, ok := strings.CutPrefix(p.rest, ")"); ok && len(args) == 0 {
			p.rest = rest
			return args, nil
		}
		arg, err := p.arg(depth)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		p.spaces()
		switch {
		case strings.HasPrefix(p.rest, ","):
			p.rest = p.rest[1:]
		case strings.HasPrefix(p.rest, ")"):
			p.rest = p.rest[1:]
			return args, nil
		default:
			return nil, fmt.Errorf("%q where a comma or a bracket must be", p.rest)
		}
	}
}

func (p *parser) arg(depth int) (argument, error) {
	if strings.HasPrefix(p.rest, "'") {
		return p.literal()
	}
	if strings.HasPrefix(p.rest, "States.") {
		e, err := p.expr(depth)
		return argument{expr: e}, err
	}
	end := strings.IndexAny(p.rest, " ,)")
	if end < 0 {
		return argument{}, errors.New("the closing bracket is missing")
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	if strings.HasPrefix(word, "$") {
		path, err := parsePath(word)
		return argument{expr: path.get}, err
	}
	v, err := decode([]byte(word))
	switch v.(type) {
	case json.Number, bool, nil:
		if err == nil {
			return argument{expr: constant(v)}, nil
		}
	}
	return argument{}, fmt.Errorf("argument %q is no path, string, number or function", word)
}

func (p *parser) literal() (argument, error) {
	for i := 1; i < len(p.rest); i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '\'':
			text := p.rest[1:i]
			p.rest = p.rest[i+1:]
			return argument{expr: constant(unescape(text)), literal: &text}, nil
		}
	}
	return argument{}, errors.New("a string is not closed")
}

// unescape takes the backslash from what it stands before: ' { } and itself.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

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
