package analysis

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm/runtime"
)

// A condition is written by whoever may write to the repository, and runs in our process. The library bounds its nodes
// and some of its memory, but not its time, nor what a text or a nested list can grow to. So what could grow is refused,
// and the rounds of predicates are counted and timed. An answer has 5,000 values at most (internal/metrics).
const (
	conditionCap = 4096            // bytes
	nodeCap      = 500             // of the parsed condition
	roundCap     = 50_000          // of all predicates together: all(result, # > 1) takes one for each value
	roundTime    = 2 * time.Second // for all rounds; one alone is bounded by nodeCap
	rangeCap     = 1000            // numbers of a range
)

// builtins are the functions of the language that make a number, a truth or a time of what they are given, or a list no
// longer than it. Left out are those that can double it (concat, flatten, join, repeat, replace, reduce, toJSON), or
// compare each with each (uniq), and those of texts, which no provider gives yet.
var builtins = []string{
	"all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "count", "sum",
	"len", "type", "abs", "ceil", "floor", "round", "int", "float", "max", "min", "mean", "median",
	"now", "duration", "date", "first", "last", "get", "sort",
}

// The functions that bounded puts in. They cannot be called by name: # begins no identifier.
const (
	roundName = "#round"
	addName   = "#add"
)

// bounded refuses what could grow, has every predicate counted before its body, and every sum of unknown types checked.
// It is good for one evaluation.
type bounded struct {
	refused error // the first
	rounds  int
	end     time.Time
}

func (b *bounded) options() []expr.Option {
	options := []expr.Option{expr.MaxNodes(nodeCap), expr.DisableAllBuiltins()}
	for _, name := range builtins {
		options = append(options, expr.EnableBuiltin(name))
	}
	return append(options, expr.Patch(b),
		expr.Function(roundName, b.round, new(func() bool)),
		expr.Function(addName, add, new(func(any, any) any)))
}

func (b *bounded) round(...any) (any, error) {
	if b.rounds++; b.rounds > roundCap {
		return nil, fmt.Errorf("takes more than %d rounds", roundCap)
	}
	if b.end.IsZero() {
		b.end = time.Now().Add(roundTime)
	}
	if time.Now().After(b.end) {
		return nil, fmt.Errorf("takes longer than %s", roundTime)
	}
	return true, nil
}

var errTexts = errors.New("texts cannot be added in a condition")

// add is + where the types are known only now.
func add(params ...any) (any, error) {
	for _, p := range params {
		if _, text := p.(string); text {
			return nil, errTexts
		}
	}
	return runtime.Add(params[0], params[1]), nil
}

func (b *bounded) refuse(format string, args ...any) {
	if b.refused == nil {
		b.refused = fmt.Errorf(format, args...)
	}
}

// Visit is called for each node, the inner ones first.
func (b *bounded) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.VariableDeclaratorNode:
		b.refuse("let is not supported in a condition")
	case *ast.SequenceNode:
		b.refuse("; is not supported in a condition")
	case *ast.BinaryNode:
		b.binary(node, n)
	case *ast.PredicateNode:
		if ast.Find(n.Node, isList) != nil {
			b.refuse("a list inside a predicate is not supported in a condition")
		}
		n.Node = &ast.SequenceNode{Nodes: []ast.Node{&ast.CallNode{Callee: &ast.IdentifierNode{Value: roundName}}, n.Node}}
	}
}

func isList(n ast.Node) bool {
	switch n.(type) {
	case *ast.ArrayNode, *ast.MapNode:
		return true
	}
	return false
}

func (b *bounded) binary(node *ast.Node, n *ast.BinaryNode) {
	switch n.Operator {
	case "+":
		if !adds(n.Left.Type()) || !adds(n.Right.Type()) {
			ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: addName}, Arguments: []ast.Node{n.Left, n.Right}})
		}
	case "..":
		from, ok := n.Left.(*ast.IntegerNode)
		to, also := n.Right.(*ast.IntegerNode)
		if !ok || !also || to.Value-from.Value > rangeCap {
			b.refuse("a range must be between two numbers, at most %d apart", rangeCap)
		}
	}
}

// adds says that t is a number, a time or a duration.
func adds(t reflect.Type) bool {
	return t != nil && (t == reflect.TypeFor[time.Time]() || t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64)
}
