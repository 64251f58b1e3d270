// Package ignore keeps values that git does not decide as they are live: what ignoreDifferences names, replicas that an
// autoscaler sets, what a Rollout holds, fields that are left alone for a while. A field is never left out to be ignored:
// server-side apply deletes what its sole owner stops sending (spec.replicas 5 became 1, seen). So the live value is sent,
// on condition that the object is as it was read, and an apply that would change nothing finds no difference.
package ignore

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// jqTime bounds all expressions with one object (argo-cd's limit is 1 s for each), jqCap the paths of one.
const (
	jqTime = time.Second
	jqCap  = 10000
)

// Rules are an application's ignoreDifferences.
type Rules []rule

type rule struct {
	app.IgnoreDifference
	jq []expression
}

type expression struct {
	text string
	code *gojq.Code
}

// Compile makes rules of what an application declares. An error is Invalid: what was decoded compiles.
func Compile(declared []app.IgnoreDifference) (Rules, error) {
	out := make(Rules, len(declared))
	for i, d := range declared {
		out[i].IgnoreDifference = d
		for _, text := range d.JQPathExpressions {
			code, err := app.CompileJQ(text)
			if err != nil {
				return nil, fault.New(fault.Invalid, "compile ignoreDifferences[%d]: %w", i, err)
			}
			out[i].jq = append(out[i].jq, expression{text, code})
		}
	}
	return out, nil
}

// For is the rules that are about an object.
func (r Rules) For(id manifest.ID) Rules {
	return slices.DeleteFunc(slices.Clone(r), func(r rule) bool {
		return !fits(r.Group, id.Group) || !fits(r.Kind, id.Kind) || r.Namespace != "" && r.Namespace != id.Namespace || r.Name != "" && r.Name != id.Name
	})
}

func fits(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

// paths are the fields of obj that the expression selects, as keys and places. One that asks for what obj does not have,
// as .spec.ports[] of an object without ports, selects no more.
func (e expression) paths(ctx context.Context, obj any) ([][]any, error) {
	var out [][]any
	found := e.code.RunWithContext(ctx, obj)
	for {
		v, more := found.Next()
		if !more {
			return out, nil
		}
		switch v := v.(type) {
		case []any:
			if out = append(out, v); len(out) > jqCap {
				return nil, fault.New(fault.Invalid, "jq expression %q selects more than %d fields", e.text, jqCap)
			}
		case error:
			return out, e.failed(ctx, v)
		}
	}
}

// failed is what an error of jq's means. Too slow is not Invalid, which would be final: it may be the machine.
func (e expression) failed(ctx context.Context, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "jq expression %q takes too long: %s is all the time that one object has", e.text, jqTime)
	case ctx.Err() != nil:
		return fmt.Errorf("evaluate jq expression %q: %w", e.text, ctx.Err())
	case strings.HasPrefix(err.Error(), "invalid path"): // as `.spec | keys`, which is a new value
		return fault.New(fault.Invalid, "jq expression %q selects no fields: it makes a new value", e.text) // jq's error shows the value
	}
	return nil
}

// plain is v with the numbers that gojq takes.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case int64:
		return int(v)
	}
	return v
}
