package app

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/json"
	sigs "sigs.k8s.io/yaml"
)

// Limits of a file of declarations (security R12, R14). A value in it is at most depthCap deep, counted with its
// aliases written out.
const (
	fileCap     = 5 << 20
	documentCap = 2000
	nodeCap     = 100_000
	depthCap    = 100
	textCap     = fileCap // of all values, aliases written out: 100 kB of them can mean gigabytes
	pathCap     = 400     // of a path whose line is kept; a longer one takes the line of what encloses it
)

// document is one YAML document of a file: its objects' values come from the decoder that Kubernetes uses, its lines
// from one that keeps them.
type document struct {
	value any
	lines map[string]int // by path
}

// documents reads a file. Problems are syntax, duplicate keys and limits; a document with problems is left out.
func documents(file string, data []byte) ([]document, []problem) {
	whole := func(format string, args ...any) []problem {
		return []problem{{text: file + ": " + fmt.Sprintf(format, args...)}}
	}
	if len(data) > fileCap {
		return nil, whole("is larger than %d MiB", fileCap>>20)
	}
	if !utf8.Valid(data) {
		return nil, whole("is not UTF-8")
	}
	texts := split(bytes.TrimPrefix(data, []byte("\ufeff")))
	if len(texts) > documentCap {
		return nil, whole("has more than %d documents", documentCap)
	}
	var docs []document
	var problems []problem
	for _, t := range texts {
		d, p := parse(file, t)
		problems = append(problems, p...)
		if d.value != nil && len(p) == 0 {
			docs = append(docs, d)
		}
	}
	return docs, problems
}

type text struct {
	data  []byte
	shift int
}

// split cuts at the lines that begin with ---: in column 0 they begin a document wherever they stand (YAML 1.2, 9.1.2).
func split(data []byte) []text {
	var out []text
	cur := text{}
	n := 0
	for line := range bytes.Lines(data) {
		rest, marker := bytes.CutPrefix(line, []byte("---"))
		if marker && (len(rest) == 0 || bytes.ContainsAny(rest[:1], " \t\r\n")) {
			out = append(out, cur)
			cur = text{shift: n}
			line = append([]byte("   "), rest...)
		}
		cur.data = append(cur.data, line...)
		n++
	}
	return append(out, cur)
}

// bounded is what is wrong with YAML before its values are made; lines gets the line of every path.
func bounded(file string, t text, root *yaml.Node, lines map[string]int) []problem {
	if err := yaml.Unmarshal(t.data, root); err != nil {
		return []problem{syntax(file, t.shift, err)}
	}
	w := walk{file: file, shift: t.shift, lines: lines}
	w.visit(root, "", 0)
	return w.problems
}

func parse(file string, t text) (document, []problem) {
	d := document{lines: map[string]int{}}
	var root yaml.Node
	if len(bytes.TrimSpace(t.data)) == 0 {
		return d, nil
	}
	if problems := bounded(file, t, &root, d.lines); len(problems) > 0 {
		return d, problems
	}
	if root.Kind == 0 { // nothing but comments
		return d, nil
	}
	j, err := sigs.YAMLToJSONStrict(t.data)
	if err != nil {
		return d, []problem{syntax(file, t.shift, err)}
	}
	if err := json.Unmarshal(j, &d.value); err != nil {
		return d, []problem{syntax(file, t.shift, err)}
	}
	return d, nil
}

var lineOf = regexp.MustCompile(`^(?:yaml: |error converting YAML to JSON: |unmarshal errors:\s*)*line (\d+): `)

// anchor is a value in a parser's error: password: *secret is an alias to it, and quoted (security R15).
var anchor = regexp.MustCompile(`anchor '[^']*'`)

// syntax is a parser's error with the line counted from the beginning of the file.
func syntax(file string, shift int, err error) problem {
	msg := anchor.ReplaceAllString(err.Error(), "anchor")
	m := lineOf.FindStringSubmatchIndex(msg)
	if m == nil {
		return problem{line: shift + 1, text: fmt.Sprintf("%s:%d: %.300s", file, shift+1, msg)}
	}
	n, _ := strconv.Atoi(msg[m[2]:m[3]])
	return problem{line: n + shift, text: fmt.Sprintf("%s:%d: %.300s", file, n+shift, msg[m[1]:])}
}

// walk notes the line of every path, and refuses what is too deep, too large, or said twice.
type walk struct {
	file     string
	shift    int
	nodes    int
	bytes    int
	lines    map[string]int
	problems []problem
}

func (w *walk) fail(n *yaml.Node, format string, args ...any) {
	l := n.Line + w.shift
	w.problems = append(w.problems, problem{line: l, text: fmt.Sprintf("%s:%d: ", w.file, l) + fmt.Sprintf(format, args...)})
}

func (w *walk) note(path string, n *yaml.Node) {
	if len(path) <= pathCap {
		w.lines[path] = n.Line + w.shift
	}
}

// visit goes through n and its aliases. It tells whether to go on: beyond a limit nothing more is looked at.
func (w *walk) visit(n *yaml.Node, path string, depth int) bool {
	if w.nodes++; w.nodes > nodeCap {
		w.fail(n, "has more than %d values, aliases written out", nodeCap)
		return false
	}
	if w.bytes += len(n.Value); w.bytes > textCap {
		w.fail(n, "has more than %d MiB of text, aliases written out", textCap>>20)
		return false
	}
	if depth > depthCap {
		w.fail(n, "is nested deeper than %d levels", depthCap)
		return false
	}
	if w.lines[path] == 0 {
		w.note(path, n)
	}
	switch n.Kind {
	case yaml.ScalarNode: // a leaf
	case yaml.DocumentNode:
		return len(n.Content) == 0 || w.visit(n.Content[0], path, depth)
	case yaml.AliasNode:
		return w.visit(n.Alias, path, depth+1)
	case yaml.SequenceNode:
		for i, e := range n.Content {
			if !w.visit(e, fmt.Sprintf("%s[%d]", path, i), depth+1) {
				return false
			}
		}
	case yaml.MappingNode:
		seen := map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			key, ok := keyText(k)
			at := join(path, key)
			switch {
			case !ok:
				w.fail(k, "%s: a key is no text; where it is a template, put it in quotes", path)
			case k.Tag == "!!merge": // its fields count as written here
				at = path
			case seen[key]:
				w.fail(k, "%s: is there twice", at)
			default:
				w.note(at, k)
			}
			seen[key] = true
			if !w.visit(v, at, depth+1) {
				return false
			}
		}
	}
	return true
}

// oldBool are words that are true or false to the decoder of Kubernetes (YAML 1.1), and texts to the other one.
var oldBool = regexp.MustCompile(`^(?i:y|yes|n|no|on|off)$`)

// keyText is a key as it is in JSON: 1 and "1" are one key there, and so are on and true. It is false for a key that is
// no scalar.
func keyText(k *yaml.Node) (string, bool) {
	if k.Kind != yaml.ScalarNode {
		return "", false
	}
	if t := k.ShortTag(); t == "!!merge" || t == "!!str" && (k.Style != 0 || !oldBool.MatchString(k.Value)) {
		return k.Value, true
	}
	var m map[string]any
	if err := sigs.Unmarshal([]byte(k.Value+": x"), &m); err == nil {
		for key := range m {
			return key, true
		}
	}
	return "", false
}
