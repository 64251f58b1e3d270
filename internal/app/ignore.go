package app

import (
	"strings"

	"slipway/internal/manifest"
)

// IgnoreDifference is one entry of spec.ignoreDifferences: fields that are not git's to decide. Group and Kind may hold
// the wildcards * and ?; Namespace and Name are exact, and all when "" (argo-cd.md 2.5.4).
type IgnoreDifference struct {
	Group     string `json:"group,omitempty"` // "" is the core group
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// JSONPointers are RFC 6901's: /spec/template/metadata/annotations/example.com~1owner.
	JSONPointers []string `json:"jsonPointers,omitempty"`
	// JQPathExpressions are what CompileJQ takes.
	JQPathExpressions []string `json:"jqPathExpressions,omitempty"`
	// ManagedFieldsManagers are field managers: all that they own is theirs.
	ManagedFieldsManagers []string `json:"managedFieldsManagers,omitempty"`
}

// ignoreCap is how much the entries of one application may name: each costs time with every object that it is about.
const ignoreCap = 500

// ignoreDifferences reads spec.ignoreDifferences.
func (n node) ignoreDifferences() []IgnoreDifference {
	var out []IgnoreDifference
	named := 0
	for _, e := range n.list() {
		d := e.ignoreDifference()
		named += len(d.JSONPointers) + len(d.JQPathExpressions) + len(d.ManagedFieldsManagers)
		out = append(out, d)
	}
	if named > ignoreCap {
		n.fail("names %d things to ignore, more than %d", named, ignoreCap)
	}
	return out
}

func (n node) ignoreDifference() IgnoreDifference {
	if n.absent() {
		n.fail("is empty")
		return IgnoreDifference{}
	}
	f := n.fields()
	if f.m == nil {
		return IgnoreDifference{}
	}
	d := IgnoreDifference{Group: f.get("group").wildcard(), Kind: f.need("kind").wildcard(), Namespace: f.get("namespace").exact(), Name: f.get("name").exact()}
	if k := f.get("kind"); k.value == "" {
		k.fail(`is empty; "*" is every kind`)
	}
	d.JSONPointers = f.get("jsonPointers").strs(node.pointer)
	d.JQPathExpressions = f.get("jqPathExpressions").strs(node.jq)
	d.ManagedFieldsManagers = f.get("managedFieldsManagers").strs(node.manager)
	if f.empty("jsonPointers") && f.empty("jqPathExpressions") && f.empty("managedFieldsManagers") {
		n.fail("names nothing to ignore: want jsonPointers, jqPathExpressions or managedFieldsManagers")
	}
	f.end()
	return d
}

// empty reports whether a field is absent or an empty list; one of another type is refused where it is read.
func (f *fields) empty(key string) bool {
	l, ok := f.m[key].([]any)
	return f.m[key] == nil || ok && len(l) == 0
}

// wildcard is a string that may hold * and ?. Argo CD's globs know more, which no group or kind needs.
func (n node) wildcard() string {
	s := n.str()
	if strings.ContainsAny(s, `[]{}!^\/`) {
		n.fail("%.80q: only the wildcards * and ? are supported", s)
	}
	return s
}

// exact is a string without wildcards: Argo CD compares these as they are, so a * would match nothing.
func (n node) exact() string {
	s := n.str()
	if strings.ContainsAny(s, "*?[{") {
		n.fail("%.80q has a wildcard, but is compared as it is; leave it out for all", s)
	}
	return s
}

// pointer checks a JSON pointer (RFC 6901).
func (n node) pointer() {
	s := n.str()
	if !strings.HasPrefix(s, "/") {
		n.fail("%.80q is no JSON pointer: it starts with /", s)
	} else if strings.Contains(strings.NewReplacer("~0", "", "~1", "").Replace(s), "~") {
		n.fail("%.80q is no JSON pointer: after ~ comes 0 or 1", s)
	}
}

func (n node) jq() {
	if _, err := CompileJQ(n.str()); err != nil {
		n.fail("%s", err)
	}
}

func (n node) manager() {
	if n.value == manifest.Manager {
		n.fail("%s is the manager of our own applies: nothing of git's would be left", manifest.Manager)
	}
}
