// Package appset makes the Applications that an ApplicationSet describes: a template, written out once an element. It
// reads no repository and no cluster.
package appset

import (
	"strings"

	"slipway/internal/app"
	"slipway/internal/fault"
)

const (
	applicationCap = 1 << 20  // text of one written-out template (security R14: object)
	setCap         = 20 << 20 // of all of a set (security R14: total)
	lineCap        = 20       // problems or warnings that are told
)

// Expand is the set's applications in the order of its elements, and warnings of one line each. Any error in any of them
// gives none at all: a set that is half right must not have the other half deleted (argo-cd #18780, #18212, #14318).
// It is fault.Invalid, one problem a line with file, line, path and element.
func Expand(set app.ApplicationSet) ([]app.Application, []string, error) {
	var apps []app.Application
	var problems, warnings lines
	first := map[app.Name]app.Element{}
	total := 0
	for _, e := range set.Elements {
		a, more, written, err := one(set, e)
		if f, twice := first[a.Key()]; err == nil && twice {
			err = fault.New(fault.Invalid, "%s", set.Say(e, []any{"metadata", "name"}, "%q is also what %s makes", a.Name, f.Path))
		}
		if total += written; err == nil && total > setCap {
			err = fault.New(fault.Invalid, "%s", set.Say(e, nil, "the set's applications are larger than %d MiB", setCap>>20))
		}
		if err != nil {
			problems.add(err.Error())
		}
		if total > setCap || problems.full() {
			break
		}
		first[a.Key()] = e
		apps = append(apps, a)
		if len(more) > 0 && !warnings.full() {
			warnings.add(more...)
		}
	}
	if len(problems) > 0 {
		return nil, nil, fault.New(fault.Invalid, "%s", strings.Join(problems.told(), "\n"))
	}
	return apps, warnings.told(), nil
}

// one is the application of one element, and how much text was written for it.
func one(set app.ApplicationSet, e app.Element) (app.Application, []string, int, error) {
	w := &writer{set: set, element: e}
	templated := w.mapping(set.Template, nil)
	if w.problem != "" {
		return app.Application{}, nil, w.written, fault.New(fault.Invalid, "%s", w.problem)
	}
	a, more, err := set.Application(templated, e)
	return a, append(w.warnings, more...), w.written, err
}

// lines is what is told to people, up to lineCap.
type lines []string

func (l *lines) add(texts ...string) {
	for _, t := range texts {
		*l = append(*l, strings.Split(t, "\n")...)
	}
}

func (l lines) full() bool { return len(l) > lineCap }

func (l lines) told() []string {
	if l.full() {
		return append(l[:lineCap:lineCap], "and more")
	}
	return l
}
