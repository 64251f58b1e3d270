package app

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"slipway/internal/fault"
)

// problemCap is how many problems of a file are told; what lies beyond is counted.
const problemCap = 20

// reader walks one declared object strictly and gathers all that is wrong with it, so that a user corrects a file once.
type reader struct {
	file     string
	object   string         // "Application argocd/order-service", named where no line is known
	lines    map[string]int // by path; nil when the object's text is not at hand
	note     string         // which element of a set, after each problem
	problems []problem
	warnings []string
}

type problem struct {
	line int
	text string
}

// where is "file:line" of the path, or of what encloses it, or "file: object" when no line is known.
func (r *reader) where(path string) (string, int) {
	for p := path; p != "" && r.lines != nil; p = p[:max(strings.LastIndexAny(p, ".["), 0)] {
		if l := r.lines[p]; l > 0 {
			return fmt.Sprintf("%s:%d", r.file, l), l
		}
	}
	if l := r.lines[""]; l > 0 {
		return fmt.Sprintf("%s:%d", r.file, l), l
	}
	if r.object != "" {
		return r.file + ": " + r.object, 0
	}
	return r.file, 0
}

func (r *reader) text(path, format string, args ...any) (string, int) {
	where, line := r.where(path)
	if path != "" {
		where += ": " + path
	}
	return where + ": " + fmt.Sprintf(format, args...) + r.note, line
}

func (r *reader) fail(path, format string, args ...any) {
	t, line := r.text(path, format, args...)
	r.problems = append(r.problems, problem{line: line, text: t})
}

func (r *reader) warn(path, format string, args ...any) {
	t, _ := r.text(path, format, args...)
	r.warnings = append(r.warnings, t)
}

// since is the warnings after the first so many; nil when there are none.
func (r *reader) since(first int) []string {
	return append([]string(nil), r.warnings[first:]...)
}

// err is all problems, one a line in the order of the file, as fault.Invalid.
func (r *reader) err() error { return asError(r.problems) }

func asError(problems []problem) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	var lines []string
	for _, p := range problems[:min(len(problems), problemCap)] {
		lines = append(lines, p.text)
	}
	if n := len(problems) - problemCap; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return fault.New(fault.Invalid, "%s", strings.Join(lines, "\n"))
}

// node is a value and its path. Null is absent, as in the Kubernetes API.
type node struct {
	*reader
	path  string
	value any
}

func (n node) fail(format string, args ...any) { n.reader.fail(n.path, format, args...) }
func (n node) warn(format string, args ...any) { n.reader.warn(n.path, format, args...) }
func (n node) absent() bool                    { return n.value == nil }

func (n node) want(what string) {
	got, hint := "", ""
	switch n.value.(type) {
	case bool:
		got = "true or false"
	case int, int64, uint64, float64:
		got = "a number"
	case string:
		got = "a string"
	case []any:
		got = "a list"
	case map[string]any:
		got = "a mapping"
	default:
		got = fmt.Sprintf("%T", n.value)
	}
	if what == "a string" && (got == "a number" || got == "true or false") {
		hint = "; put it in quotes"
	}
	n.fail("want %s, got %s%s", what, got, hint)
}

// str is a string; "" when absent.
func (n node) str() string {
	s, ok := n.value.(string)
	if !ok && !n.absent() {
		n.want("a string")
	}
	return s
}

// flag is true or false; false when absent.
func (n node) flag() bool {
	b, ok := n.value.(bool)
	if !ok && !n.absent() {
		n.want("true or false")
	}
	return b
}

// list is the nodes of a list; none when absent.
func (n node) list() []node {
	l, ok := n.value.([]any)
	if !ok && !n.absent() {
		n.want("a list")
	}
	nodes := make([]node, len(l))
	for i, v := range l {
		nodes[i] = node{reader: n.reader, path: fmt.Sprintf("%s[%d]", n.path, i), value: v}
	}
	return nodes
}

// strs is a list of strings, none of them empty, each looked at by check.
func (n node) strs(check func(node)) []string {
	var out []string
	for _, e := range n.list() {
		if s := e.str(); s != "" {
			out = append(out, s)
			check(e)
		} else if _, ok := e.value.(string); ok || e.absent() {
			e.fail("is empty")
		}
	}
	return out
}

// fields is a mapping that is read field by field. What was not read by the end is refused.
type fields struct {
	node
	m    map[string]any
	read map[string]bool
}

// fields reads n as a mapping; an empty one when absent.
func (n node) fields() *fields {
	m, ok := n.value.(map[string]any)
	if !ok && !n.absent() {
		n.want("a mapping")
	}
	return &fields{node: n, m: m, read: map[string]bool{}}
}

func (f *fields) get(key string) node {
	f.read[key] = true
	return node{reader: f.reader, path: join(f.path, key), value: f.m[key]}
}

// need is get of a field that must be there.
func (f *fields) need(key string) node {
	n := f.get(key)
	if n.absent() {
		n.fail("is missing")
	}
	return n
}

// later refuses fields that Argo CD has and we do not. One that holds what it would be without (null, false, "", an
// empty list) changes nothing there, so it passes here; an empty mapping may mean something and does not.
func (f *fields) later(keys ...string) {
	for _, k := range keys {
		n := f.get(k)
		l, ok := n.value.([]any)
		if n.absent() || n.value == false || n.value == "" || ok && len(l) == 0 {
			continue
		}
		n.fail("not supported yet")
	}
}

// end refuses what nobody asked for.
func (f *fields) end() {
	for _, k := range f.keys() {
		if !f.read[k] {
			f.get(k).fail("unknown field")
		}
	}
}

func (f *fields) keys() []string { return slices.Sorted(maps.Keys(f.m)) }

// texts is a mapping of strings to strings; nil when absent or empty.
func (n node) texts() map[string]string {
	f := n.fields()
	if len(f.m) == 0 {
		return nil
	}
	out := make(map[string]string, len(f.m))
	for _, k := range f.keys() {
		if v := f.get(k); v.absent() {
			v.fail("is null, want a string")
		} else {
			out[k] = v.str()
		}
	}
	return out
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// join is the path of a field: spec.source, metadata.labels["app.kubernetes.io/name"].
func join(path, key string) string {
	switch {
	case !plainKey.MatchString(key):
		return fmt.Sprintf("%s[%.80q]", path, key)
	case path == "":
		return key
	}
	return path + "." + key
}
