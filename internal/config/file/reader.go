package file

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/fault"
)

// reader walks YAML nodes and gathers what is wrong, so that a user corrects a file once.
type reader struct {
	file     string
	problems []string
}

// maxProblems are told; a file that has more has one cause.
const maxProblems = 20

func (r *reader) fail(n *yaml.Node, path, format string, args ...any) {
	where := fmt.Sprintf("%s:%d", r.file, max(n.Line, 1))
	if path != "" {
		where += ": " + path
	}
	r.problems = append(r.problems, where+": "+fmt.Sprintf(format, args...))
}

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "%s", strings.Join(r.problems[:min(len(r.problems), maxProblems)], "\n"))
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// each calls f for each entry of a mapping. Aliases are refused: nothing here is long enough to need one.
func (r *reader) each(n *yaml.Node, path string, f func(key string, v *yaml.Node, path string)) {
	if null(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, path, "want a mapping")
		return
	}
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := strings.TrimPrefix(path+"."+fmt.Sprintf("%.80s", key.Value), ".")
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fail(key, path, "want a text as key")
		case slices.Contains(seen, key.Value):
			r.fail(key, at, "is there twice")
		default:
			f(key.Value, n.Content[i+1], at)
		}
		seen = append(seen, key.Value)
	}
}

// fields calls the function of each field of a mapping that has no others.
func (r *reader) fields(n *yaml.Node, path string, known map[string]func(*yaml.Node, string)) {
	r.each(n, path, func(key string, v *yaml.Node, at string) {
		if f, ok := known[key]; ok {
			f(v, at)
			return
		}
		var names []string
		for k := range known {
			names = append(names, k)
		}
		slices.Sort(names)
		r.fail(v, at, "unknown field; there are %s", strings.Join(names, ", "))
	})
}

func (r *reader) list(n *yaml.Node, path string) []*yaml.Node {
	switch {
	case null(n):
		return nil
	case n.Kind != yaml.SequenceNode:
		r.fail(n, path, "want a list")
		return nil
	}
	return n.Content
}

func (r *reader) text(n *yaml.Node, path string) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" && !null(n) {
		r.fail(n, path, "want a text")
		return ""
	}
	if null(n) {
		return ""
	}
	return n.Value
}
