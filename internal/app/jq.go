package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/itchyny/gojq"
)

// jqCap bounds one expression, in bytes.
const jqCap = 1024

// CompileJQ makes code of an expression of jqPathExpressions. Run with an object, it yields the path of each field that
// the expression selects: a list of keys and places.
//
// It takes the part of jq that walks what is there and asks about it. What makes new values is refused: 30 bytes of
// jq can fill any memory (. * 2 doubles a text, [range(1e9)] needs no input), and a path needs none of it. Neither does
// it read an environment, inputs or modules.
func CompileJQ(expression string) (*gojq.Code, error) {
	if len(expression) > jqCap {
		return nil, fmt.Errorf("is longer than %d bytes", jqCap)
	}
	q, err := gojq.Parse(expression)
	if err != nil {
		return nil, fmt.Errorf("%.80q is no jq expression: %w", expression, err)
	}
	if err := walks(q); err != nil {
		return nil, fmt.Errorf("%.80q: %w", expression, err)
	}
	paths := &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: "path", Args: []*gojq.Query{q}}}}
	c, err := gojq.Compile(paths)
	if err != nil {
		return nil, fmt.Errorf("%.80q is no jq expression: %w", expression, err)
	}
	return c, nil
}

// jqFunctions are the functions that a path expression may call: none gives back more than it was given, but for a
// constant factor.
var jqFunctions = []string{
	"select", "empty", "recurse", "first", "last", "nth", "getpath",
	"not", "any", "all", "has", "in", "inside", "contains", "IN", "index", "length", "type", "keys", "to_entries",
	"test", "startswith", "endswith", "ltrimstr", "rtrimstr", "ascii_downcase", "ascii_upcase", "tostring", "tonumber",
	"arrays", "objects", "iterables", "booleans", "numbers", "strings", "nulls", "values", "scalars",
}

var jqOperators = []gojq.Operator{
	gojq.OpPipe, gojq.OpComma, gojq.OpEq, gojq.OpNe, gojq.OpGt, gojq.OpLt, gojq.OpGe, gojq.OpLe, gojq.OpAnd, gojq.OpOr, gojq.OpAlt,
}

// walks refuses the rest of jq.
func walks(q *gojq.Query) error {
	if q == nil {
		return nil
	}
	if q.Meta != nil || len(q.Imports) > 0 {
		return errors.New("modules are not supported")
	}
	if len(q.FuncDefs) > 0 {
		return errors.New("def is not supported")
	}
	for _, p := range q.Patterns {
		if p.Name == "" {
			return errors.New("of patterns, only a name such as $x is supported")
		}
	}
	if q.Term != nil {
		return walksTerm(q.Term)
	}
	if q.Op == 0 { // a comment is a program too; the name of no operator panics
		return errors.New("is empty")
	}
	if !slices.Contains(jqOperators, q.Op) {
		return fmt.Errorf("operator %s is not supported: a path makes no new values", q.Op)
	}
	return cmpErr(walks(q.Left), walks(q.Right))
}

func walksTerm(t *gojq.Term) error {
	err := walksInside(t)
	for _, s := range t.SuffixList {
		err = cmpErr(err, walksIndex(s.Index))
	}
	return err
}

func walksInside(t *gojq.Term) error {
	switch t.Type {
	case gojq.TermTypeIdentity, gojq.TermTypeRecurse, gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber:
		return nil
	case gojq.TermTypeIndex:
		return walksIndex(t.Index)
	case gojq.TermTypeFunc:
		return walksFunc(t.Func)
	case gojq.TermTypeUnary:
		return walksTerm(t.Unary.Term) // -1
	case gojq.TermTypeString:
		return plainText(t.Str)
	case gojq.TermTypeQuery:
		return walks(t.Query)
	case gojq.TermTypeTry:
		return cmpErr(walks(t.Try.Body), walks(t.Try.Catch))
	case gojq.TermTypeIf:
		err := cmpErr(walks(t.If.Cond), walks(t.If.Then), walks(t.If.Else))
		for _, e := range t.If.Elif {
			err = cmpErr(err, walks(e.Cond), walks(e.Then))
		}
		return err
	case gojq.TermTypeArray:
		return constant(t.Array.Query)
	case gojq.TermTypeObject:
		for _, kv := range t.Object.KeyVals {
			if kv.KeyQuery != nil || kv.Val == nil {
				return errors.New("an object may hold constants only")
			}
			if err := cmpErr(plainText(kv.KeyString), constant(kv.Val)); err != nil {
				return err
			}
		}
		return nil
	case gojq.TermTypeFormat, gojq.TermTypeReduce, gojq.TermTypeForeach, gojq.TermTypeLabel, gojq.TermTypeBreak:
	}
	return fmt.Errorf("%.40s is not supported: a path makes no new values", t)
}

func walksFunc(f *gojq.Func) error {
	if f.Name[0] != '$' && !slices.Contains(jqFunctions, f.Name) || f.Name == "$ENV" {
		return fmt.Errorf("function %.40s is not supported", f.Name)
	}
	if f.Name == "recurse" && len(f.Args) > 0 { // recurse(.) never ends
		return errors.New("recurse with an argument is not supported: want .. or recurse")
	}
	for _, a := range f.Args {
		if err := walks(a); err != nil {
			return err
		}
	}
	return nil
}

func walksIndex(x *gojq.Index) error {
	if x == nil {
		return nil
	}
	if x.IsSlice {
		return errors.New("slices are not supported")
	}
	return cmpErr(plainText(x.Str), walks(x.Start))
}

// constant takes text, numbers, true, false and null, and lists and objects of them: the values to compare with.
func constant(q *gojq.Query) error {
	if q == nil {
		return nil
	}
	if q.Term == nil && q.Op == gojq.OpComma && len(q.FuncDefs) == 0 {
		return cmpErr(constant(q.Left), constant(q.Right))
	}
	if q.Term != nil && len(q.FuncDefs) == 0 && len(q.Term.SuffixList) == 0 {
		switch q.Term.Type {
		case gojq.TermTypeNull, gojq.TermTypeTrue, gojq.TermTypeFalse, gojq.TermTypeNumber, gojq.TermTypeString, gojq.TermTypeArray, gojq.TermTypeObject:
			return walksInside(q.Term)
		case gojq.TermTypeUnary:
			return constant(&gojq.Query{Term: q.Term.Unary.Term})
		default:
		}
	}
	return fmt.Errorf("%.40s in a list or an object is not supported: they may hold constants only", q)
}

func plainText(s *gojq.String) error {
	if s != nil && len(s.Queries) > 0 {
		return errors.New(`\( ) in a text is not supported: a path makes no new values`)
	}
	return nil
}

// cmpErr is the first error.
func cmpErr(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
