package appset

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/valyala/fasttemplate"

	"slipway/internal/app"
)

// writer writes a template out with the values of one element. The first problem ends it.
type writer struct {
	set      app.ApplicationSet
	element  app.Element
	written  int
	warnings []string
	problem  string
}

func (w *writer) fail(place []any, format string, args ...any) {
	if w.problem == "" {
		w.problem = w.set.Say(w.element, place, format, args...)
	}
}

// value is v with its keys filled in. Only strings and the keys of mappings have any
// (argo-cd applicationset/utils/utils.go:402).
func (w *writer) value(v any, place []any) any {
	switch v := v.(type) {
	case string:
		return w.text(v, place)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = w.value(e, at(place, i))
		}
		return out
	case map[string]any:
		return w.mapping(v, place)
	}
	return v
}

func (w *writer) mapping(m map[string]any, place []any) map[string]any {
	out := make(map[string]any, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		name := w.text(k, at(place, k))
		if _, twice := out[name]; twice {
			w.fail(place, "%.80q is there twice once the keys are filled in", name)
		}
		out[name] = w.value(m[k], at(place, k))
	}
	return out
}

// at is place and one step more, in memory of its own.
func at(place []any, step any) []any { return append(slices.Clip(place), step) }

// templated tells a string with keys from one with braces (argo-cd applicationset/utils/utils.go).
var templated = regexp.MustCompile(`{{.*}}`)

var errTooLarge = errors.New("too large")

// text fills in a string. A key is trimmed; one that the element has no value for stays as it is written, since braces
// may be meant for somebody else, and is warned of.
func (w *writer) text(s string, place []any) string {
	if w.problem != "" {
		return ""
	}
	if !templated.MatchString(s) {
		return w.count(s, place)
	}
	t, err := fasttemplate.NewTemplate(s, "{{", "}}")
	if err != nil {
		w.fail(place, "a {{ has no }}")
		return ""
	}
	var out strings.Builder
	_, err = t.ExecuteFunc(&out, func(b io.Writer, tag string) (int, error) {
		v, ok := w.element.Values[strings.TrimSpace(tag)]
		if !ok {
			if len(w.warnings) <= lineCap {
				w.warnings = append(w.warnings, w.set.Say(w.element, place, "{{%.80s}} stays as it is: there are %s", tag, keys(w.element)))
			}
			v = "{{" + tag + "}}"
		}
		if out.Len()+len(v)+w.written > applicationCap { // before it is written: few bytes of template can ask for gigabytes
			return 0, errTooLarge
		}
		return io.WriteString(b, v)
	})
	if err != nil {
		w.tooLarge(place)
		return ""
	}
	return w.count(out.String(), place)
}

func (w *writer) count(s string, place []any) string {
	if w.written += len(s); w.written > applicationCap {
		w.tooLarge(place)
	}
	return s
}

func (w *writer) tooLarge(place []any) {
	w.fail(place, "the application is larger than %d MiB", applicationCap>>20)
}

func keys(e app.Element) string {
	k := e.Keys()
	if len(k) == 0 {
		return "no keys"
	}
	return fmt.Sprintf("%.200s", strings.Join(k, ", "))
}
