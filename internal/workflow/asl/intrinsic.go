package asl

import (
	"encoding/json"
	"errors"
	"fmt"
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
