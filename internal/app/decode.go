package app

import (
	"fmt"
	"strings"
)

// group is the API group of what is decoded here.
const group = "argoproj.io"

const groupVersion = group + "/v1alpha1"

// Declared is what a file, or one object of it, declares.
type Declared struct {
	Applications []Registered // without their owner
	Sets         []ApplicationSet
	Others       []string // "ConfigMap production/settings": objects that are no declarations and were not looked at
}

// Decode reads a file of YAML documents or JSON. All that is wrong with its Applications and ApplicationSets is one
// error of kind fault.Invalid, one line each and 20 at most: "clusters/apps.yaml:14: spec.source.chart: not supported
// yet". Objects of other groups are named and left alone; a List is looked into.
func Decode(file string, data []byte) (Declared, error) {
	var out Declared
	docs, problems := documents(file, data)
	at := map[string]string{}
	for _, d := range docs {
		r := &reader{file: file, lines: d.lines}
		for _, n := range flatten(node{reader: r, value: d.value}) {
			out.add(n, at)
		}
		problems = append(problems, r.problems...)
	}
	if err := asError(problems); err != nil {
		return Declared{}, err
	}
	return out, nil
}

// DecodeObject reads an Application that is already data, as it comes from rendering, and gives its warnings, one line
// each. source is the text of the file that it was read from, for the lines; where it is nil, or a template, an error
// names the object instead. Errors are as Decode's.
func DecodeObject(file string, source []byte, obj map[string]any) (Application, []string, error) {
	n := object(file, source, obj)
	a := n.application()
	return a, n.warnings, n.err()
}

// DecodeSet is DecodeObject for an ApplicationSet.
func DecodeSet(file string, source []byte, obj map[string]any) (ApplicationSet, []string, error) {
	n := object(file, source, obj)
	s := n.set()
	return s, n.warnings, n.err()
}

func object(file string, source []byte, obj map[string]any) node {
	r := &reader{file: file, object: describe(obj)}
	if source != nil {
		r.lines = locate(file, source, describe(obj))
	}
	return node{reader: r, value: obj}
}

// add decodes one object and notes in at where it was declared.
func (d *Declared) add(n node, at map[string]string) {
	obj, ok := n.value.(map[string]any)
	if !ok {
		n.want("a mapping")
		return
	}
	before := len(n.warnings)
	apiVersion, _ := obj["apiVersion"].(string)
	kind, _ := obj["kind"].(string)
	if g, _, _ := strings.Cut(apiVersion, "/"); g != group {
		if kind == "" || apiVersion == "" {
			n.fail("is no object: apiVersion or kind is missing")
			return
		}
		d.Others = append(d.Others, describe(obj))
		return
	}
	var key Name
	switch kind {
	case "Application":
		a := n.application()
		key = a.Key()
		d.Applications = append(d.Applications, Registered{Application: a, File: n.file, Warnings: n.since(before)})
	case "ApplicationSet":
		s := n.set()
		s.Warnings = n.since(before)
		key = Name(s.Namespace + "/" + s.Name)
		d.Sets = append(d.Sets, s)
	case "":
		(&fields{node: n, read: map[string]bool{}}).need("kind")
		return
	default:
		n.reader.fail(join(n.path, "kind"), "%.80q is not supported yet", kind)
		return
	}
	id := kind + " " + string(key)
	where, _ := n.where(join(n.path, "metadata.name"))
	if first, twice := at[id]; twice {
		n.reader.fail(join(n.path, "metadata"), "%s is declared twice, first at %s", id, first)
	}
	at[id] = where
}

// flatten is the items of a List, or the object itself.
func flatten(n node) []node {
	obj, _ := n.value.(map[string]any)
	if obj["kind"] != "List" || obj["apiVersion"] != "v1" {
		return []node{n}
	}
	return node{reader: n.reader, path: join(n.path, "items"), value: obj["items"]}.list()
}

// describe is "Application argocd/order-service", as far as the object says it.
func describe(obj map[string]any) string {
	meta, _ := obj["metadata"].(map[string]any)
	text := func(v any, or string) string {
		if s, _ := v.(string); s != "" {
			return s
		}
		return or
	}
	kind, ns := text(obj["kind"], "object"), text(meta["namespace"], "")
	if ns == "" && (kind == "Application" || kind == "ApplicationSet") {
		ns = DefaultNamespace
	}
	name := text(meta["name"], "without a name")
	if ns != "" {
		name = ns + "/" + name
	}
	return fmt.Sprintf("%.80s %.330s", kind, name)
}

// locate is the lines of the object so described in the text of its file; nil where the text is not YAML, or holds the
// object never or more than once.
func locate(file string, source []byte, object string) map[string]int {
	docs, _ := documents(file, source)
	var found map[string]int
	for _, d := range docs {
		for _, n := range flatten(node{reader: &reader{}, value: d.value}) {
			obj, _ := n.value.(map[string]any)
			if describe(obj) != object {
				continue
			}
			if found != nil {
				return nil
			}
			found = d.below(n.path)
		}
	}
	return found
}

// below is the lines of what lies under path, by the path from there.
func (d document) below(path string) map[string]int {
	if path == "" {
		return d.lines
	}
	out := map[string]int{}
	for p, l := range d.lines {
		if rest, ok := strings.CutPrefix(p, path); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			out[strings.TrimPrefix(rest, ".")] = l
		}
	}
	return out
}
