package asl

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// reader reads a definition and collects every fault with its path, so that one look shows them all.
type reader struct {
	faults []error
	tokens []string // where $$.Task.Token is used in the state that is being read
}

func (r *reader) fault(at, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf(at+": "+format, args...))
}

func (r *reader) err() error {
	slices.SortFunc(r.faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(r.faults...)
}

func index(at string, i int) string { return at + "[" + strconv.Itoa(i) + "]" }

// object is an object whose fields are taken one by one; what nobody took is a fault.
type object struct {
	*reader
	path string
	left map[string]any
}

func (r *reader) object(at string, v any) object {
	fields, ok := v.(map[string]any)
	if !ok && v != (absent{}) {
		r.fault(at, "is not an object")
	}
	return object{r, at, maps.Clone(fields)}
}

func (r *reader) list(at string, v any) []any {
	items, ok := v.([]any)
	if (!ok || len(items) == 0) && v != (absent{}) {
		r.fault(at, "is not a list with something in it")
	}
	return items
}

func (r *reader) text(at string, v any) string {
	s, ok := v.(string)
	if !ok && v != (absent{}) {
		r.fault(at, "is not a string")
	}
	return s
}

func (r *reader) boolean(at string, v any) bool {
	b, ok := v.(bool)
	if !ok {
		r.fault(at, "is neither true nor false")
	}
	return b
}

// path reads a field that must be a reference path and nothing else.
func (r *reader) path(at string, v any) path {
	if v == (absent{}) {
		return path{}
	}
	p, err := parsePath(r.text(at, v))
	if err != nil {
		r.fault(at, "%w", err)
	}
	if p.text == "$$.Task.Token" {
		r.tokens = append(r.tokens, at)
	}
	return p
}

func (o object) at(name string) string { return o.path + "." + name }

func (o object) take(name string) (any, bool) {
	v, ok := o.left[name]
	delete(o.left, name)
	return v, ok
}

// absent is what need returns for a field that is missing and has been reported.
type absent struct{}

// need takes a field that must be there.
func (o object) need(name string) any {
	v, ok := o.take(name)
	if !ok {
		if o.left != nil { // nil: that it is no object is reported
			o.fault(o.at(name), "is missing")
		}
		return absent{}
	}
	return v
}

// word takes a text that must be there.
func (o object) word(name string) string { return o.filled(name, o.need(name)) }

// maybe takes a text that may be there; "" if it is not.
func (o object) maybe(name string) string {
	v, ok := o.take(name)
	if !ok {
		return ""
	}
	return o.filled(name, v)
}

func (o object) filled(name string, v any) string {
	if v == "" {
		o.fault(o.at(name), "is empty")
	}
	return o.text(o.at(name), v)
}

// comment takes the Comment, which says nothing to us.
func (o object) comment() {
	if v, ok := o.take("Comment"); ok {
		o.text(o.at("Comment"), v)
	}
}

// either takes a field or its Path form, not both; nil if neither is there. literal compiles the first.
func (o object) either(name string, literal func(at string, v any) expr) expr {
	v, plain := o.take(name)
	p, byPath := o.take(name + "Path")
	switch {
	case plain && byPath:
		o.fault(o.at(name), "and %sPath cannot both be there", name)
		return nil
	case plain:
		return literal(o.at(name), v)
	case byPath:
		return o.expression(o.at(name+"Path"), p)
	}
	return nil
}

// skip gives up an object whose fields cannot be told apart.
func (o object) skip() { clear(o.left) }

// refused says why a field of the states language is not read.
var refused = map[string]string{
	"QueryLanguage": "only JSONPath is supported",
	"Arguments":     "JSONata is not supported",
	"Output":        "JSONata is not supported",
	"Condition":     "JSONata is not supported",
	"Assign":        "variables are not supported",
	"Credentials":   "the functions' own roles are used",
}

// end reports every field that nobody took.
func (o object) end() {
	for name := range o.left {
		if why := refused[name]; why != "" {
			o.fault(o.at(name), "%s", why)
			continue
		}
		o.fault(o.at(name), "is not supported here")
	}
}

func longer(s string, most int) bool { return utf8.RuneCountInString(s) > most }
