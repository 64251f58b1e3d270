package asl

import (
	"encoding/json"
	"strings"
)

// expr is a compiled field: what it is at run time follows from the input and the context object.
type expr func(*scope) (any, error)

func constant(v any) expr { return func(*scope) (any, error) { return v, nil } }

// template compiles Parameters or ResultSelector: objects whose fields that end in .$ are expressions.
func (r *reader) template(at string, v any) expr {
	switch v := v.(type) {
	case map[string]any:
		return r.objectTemplate(at, v)
	case []any:
		items := make([]expr, len(v))
		for i, item := range v {
			items[i] = r.template(index(at, i), item)
		}
		return func(s *scope) (any, error) {
			list := make([]any, len(items))
			for i, item := range items {
				var err error
				if list[i], err = item(s); err != nil {
					return nil, err
				}
			}
			return list, nil
		}
	case string:
		if strings.HasPrefix(v, "{%") {
			r.fault(at, "JSONata is not supported")
		}
	}
	return constant(v)
}

func (r *reader) objectTemplate(at string, v map[string]any) expr {
	fields := map[string]expr{}
	for name, value := range v {
		field := at + "." + name
		plain, dynamic := strings.CutSuffix(name, ".$")
		if !dynamic {
			fields[name] = r.template(field, value)
			continue
		}
		if _, twice := v[plain]; twice {
			r.fault(field, "%s is there as well", plain)
		}
		fields[plain] = r.expression(field, value)
	}
	return func(s *scope) (any, error) {
		object := make(map[string]any, len(fields))
		for name, field := range fields {
			var err error
			if object[name], err = field(s); err != nil {
				return nil, err
			}
		}
		return object, nil
	}
}

// expression compiles what a field whose name ends in .$ or Path holds: a path or an intrinsic function.
func (r *reader) expression(at string, v any) expr {
	text, ok := v.(string)
	if !ok {
		r.fault(at, "is not a string with a path or an intrinsic function")
		return constant(nil)
	}
	e, err := parseExpr(text)
	if err != nil {
		r.fault(at, "%w", err)
		return constant(nil)
	}
	if strings.Contains(text, "$$.Task.Token") {
		r.tokens = append(r.tokens, at)
	}
	return e
}

// whole is a number of seconds, which must be one: AWS refuses 1.5 as it does "1".
func whole(v any, least int64) (int64, bool) {
	const most = 99_999_999 // seconds, three years (Amazon States Language, TimeoutSeconds)
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil && i >= least && i <= most
}
