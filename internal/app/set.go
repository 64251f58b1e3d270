package app

import (
	"fmt"
	"maps"
	"slices"
)

// ApplicationSet is an Argo CD ApplicationSet (argoproj.io/v1alpha1) with list generators and without Go templates.
// appset makes its applications.
type ApplicationSet struct {
	Namespace string
	Name      string
	File      string
	Elements  []Element      // of all generators, in their order
	Template  map[string]any // spec.template as written: metadata and spec of an Application, with {{key}} in its strings
	Warnings  []string       // of Decode

	lines map[string]int
	path  string // of the set in its file: "" or "items[2]"
}

// Element is one element of a list generator: what a template's keys stand for.
type Element struct {
	Path   string // "spec.generators[0].list.elements[1]"
	Values map[string]string
}

// Application decodes what became of the set's template with the values of e, as strictly as an Application that a file
// declares. Its namespace is the set's (argo-cd applicationset/utils/utils.go:402). The warnings are of one line each.
func (s ApplicationSet) Application(templated map[string]any, e Element) (Application, []string, error) {
	n := s.template(e)
	n.value = templated
	var a Application
	f := n.fields()
	f.need("metadata").templateMeta(&a)
	f.need("spec").spec(&a)
	f.end()
	a.Namespace = s.Namespace
	return a, n.warnings, n.err()
}

// Say is one line about a place of the template, with e: "apps.yaml:20: spec.template.metadata.name: ...". The place is
// the keys and indexes that lead there.
func (s ApplicationSet) Say(e Element, place []any, format string, args ...any) string {
	n := s.template(e)
	for _, p := range place {
		switch p := p.(type) {
		case string:
			n.path = join(n.path, p)
		case int:
			n.path = fmt.Sprintf("%s[%d]", n.path, p)
		}
	}
	t, _ := n.text(n.path, format, args...)
	return t
}

func (s ApplicationSet) template(e Element) node {
	r := &reader{file: s.File, object: "ApplicationSet " + s.Namespace + "/" + s.Name, lines: s.lines}
	if e.Path != "" {
		r.note = " (" + e.Path + ")"
	}
	return node{reader: r, path: join(join(s.path, "spec"), "template")}
}

// templateMeta reads the few fields that a template's metadata has.
func (n node) templateMeta(a *Application) {
	if m, _ := n.value.(map[string]any); m["namespace"] != nil {
		n.reader.warn(join(n.path, "namespace"), "is ignored: an application is in the namespace of its set")
		m = maps.Clone(m)
		delete(m, "namespace")
		n.value = m
	}
	n.meta(a)
}

// Note is a warning about path of the template, for e.
func (s ApplicationSet) Note(e Element, path, format string, args ...any) string {
	r := &reader{file: s.File, object: "ApplicationSet " + s.Namespace + "/" + s.Name, lines: s.lines, note: " (" + e.Path + ")"}
	t, _ := r.text(path, format, args...)
	return t
}

// set reads an ApplicationSet; its template is only read once its keys have values.
func (n node) set() ApplicationSet {
	s := ApplicationSet{File: n.file, lines: n.lines, path: n.path}
	f := n.fields()
	if v := f.need("apiVersion"); !v.absent() && v.str() != groupVersion {
		v.fail("want %s", groupVersion)
	}
	if v := f.need("kind"); !v.absent() && v.str() != "ApplicationSet" {
		v.fail("want ApplicationSet")
	}
	var meta Application // a set's metadata has the same rules
	f.need("metadata").meta(&meta)
	s.Namespace, s.Name = meta.Namespace, meta.Name
	if v := f.get("status"); !v.absent() {
		v.warn("is ignored: a controller wrote it")
	}
	if v := f.need("spec"); !v.absent() {
		v.setSpec(&s)
	}
	f.end()
	return s
}

func (n node) setSpec(s *ApplicationSet) {
	f := n.fields()
	f.later("goTemplate", "goTemplateOptions", "applyNestedSelectors", "strategy", "preservedFields", "ignoreApplicationDifferences", "templatePatch")
	if v := f.get("syncPolicy"); !v.absent() {
		p := v.fields()
		if o := p.get("applicationsSync"); o.str() != "" && o.str() != "sync" {
			o.fail("%.80q: only sync is supported yet", o.str())
		}
		p.later("preserveResourcesOnDeletion")
		p.end()
	}
	gens := f.need("generators")
	for _, g := range gens.list() {
		s.Elements = append(s.Elements, g.generator()...)
	}
	if len(s.Elements) == 0 && !gens.absent() {
		gens.warn("have no elements: no applications")
	}
	if len(s.Elements) > documentCap {
		gens.fail("have more than %d elements", documentCap)
	}
	t := f.need("template")
	s.Template = t.fields().m
	f.end()
}

func (n node) generator() []Element {
	f := n.fields()
	f.later("clusters", "git", "scmProvider", "clusterDecisionResource", "pullRequest", "matrix", "merge", "selector", "plugin")
	v := f.get("list")
	if v.absent() && len(f.m) == 0 {
		n.fail("has no list")
	}
	f.end()
	l := v.fields()
	l.later("template", "elementsYaml")
	var out []Element
	for _, e := range l.get("elements").list() {
		out = append(out, e.element())
	}
	l.end()
	return out
}

// element reads one element by the rules of argo-cd applicationset/generators/list.go: strings, and strings under values,
// which become values.KEY.
func (n node) element() Element {
	e := Element{Path: n.path, Values: map[string]string{}}
	f := n.fields()
	for _, k := range f.keys() {
		v := f.get(k)
		if k != "values" {
			e.put(v, k)
			continue
		}
		m := v.fields()
		for _, k := range m.keys() {
			e.put(m.get(k), "values."+k)
		}
	}
	return e
}

func (e Element) put(v node, key string) {
	s, ok := v.value.(string)
	switch {
	case v.absent():
		v.fail("is null, want a string")
	case !ok:
		v.want("a string")
	default:
		if _, twice := e.Values[key]; twice {
			v.fail("%.80q is there twice", key)
		}
		e.Values[key] = s
	}
}

// Keys is what the element has values for, sorted.
func (e Element) Keys() []string { return slices.Sorted(maps.Keys(e.Values)) }
