package app

import (
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
)

// written are the fields of metadata that an API server writes. They come along in exports and mean nothing here.
var written = []string{"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "ownerReferences", "resourceVersion", "selfLink", "uid"}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// application reads an Application. What is wrong with it is in the reader afterwards.
func (n node) application() Application {
	var a Application
	f := n.fields()
	if v := f.need("apiVersion"); !v.absent() && v.str() != groupVersion {
		v.fail("want %s", groupVersion)
	}
	if v := f.need("kind"); !v.absent() && v.str() != "Application" {
		v.fail("want Application")
	}
	f.need("metadata").meta(&a)
	f.need("spec").spec(&a)
	if v := f.get("status"); !v.absent() {
		v.warn("is ignored: a controller wrote it")
	}
	f.later("operation")
	f.end()
	return a
}

// meta reads metadata.
func (n node) meta(a *Application) {
	if n.absent() {
		return
	}
	f := n.fields()
	a.Name, a.Namespace = f.name(), f.namespace()
	a.Labels = f.get("labels").texts()
	a.Annotations = f.annotations()
	f.ignoreWritten()
	for _, v := range f.get("finalizers").list() {
		v.fail("not supported yet: what the application has applied stays when it is deleted; take the finalizer out")
	}
	f.end()
}

func (f *fields) name() string {
	if v := f.get("generateName"); !v.absent() {
		v.fail("not supported: give a name")
	}
	v := f.need("name")
	s := v.str()
	if _, ok := v.value.(string); ok {
		if len(validation.IsDNS1123Subdomain(s)) > 0 {
			v.fail("%.80q is no name: want lower-case letters, digits, - and ., at most 253", s)
		}
	}
	return s
}

func (f *fields) namespace() string {
	if v := f.get("namespace"); !v.absent() {
		return v.label()
	}
	return DefaultNamespace
}

// label is a string with the grammar of a namespace; "" is let through.
func (n node) label() string {
	s := n.str()
	if s == "" {
		return s
	}
	if len(validation.IsDNS1123Label(s)) > 0 {
		n.fail("%.80q is no namespace: want lower-case letters, digits and -, at most 63", s)
	}
	return s
}

// ignoreWritten warns once of all that an API server wrote.
func (f *fields) ignoreWritten() {
	var found []string
	for _, k := range written {
		if !f.get(k).absent() {
			found = append(found, k)
		}
	}
	if m, _ := f.m["annotations"].(map[string]any); m[lastApplied] != nil {
		found = append(found, "annotations of kubectl")
	}
	if len(found) > 0 {
		f.warn("ignored, since the API server writes it: %s", strings.Join(found, ", "))
	}
}

// annotations that other programs read are kept; those that would change what Argo CD does are refused or warned of.
func (f *fields) annotations() map[string]string {
	n := f.get("annotations")
	all := n.texts()
	delete(all, lastApplied)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		at := node{reader: f.reader, path: join(n.path, k), value: all[k]}
		switch prefix, name, _ := strings.Cut(k, "/"); prefix {
		case "slipway.dev":
			f.ours(at, name, all[k])
		case "argocd.argoproj.io":
			switch {
			case name == "hook", name == "sync-wave" && all[k] != "0":
				at.fail("not supported yet")
			case name != "sync-wave":
				at.warn("has no effect")
			}
		case "helm.sh":
			if name == "hook" {
				at.fail("not supported yet")
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}

// ours are the annotations of our own: some are for people, the others are on every object that was applied.
func (f *fields) ours(at node, name, value string) {
	switch name {
	case "allow-prune", "application", "digest", "fence":
	case "strict":
		if value != "true" && value != "false" {
			at.fail(`must be "true" or "false"`)
		}
	case "pause-heal-until":
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			at.fail(`must be a time such as "2026-01-31T18:00:00Z"`)
		}
	default:
		at.fail("unknown annotation")
	}
}

// spec reads the rest.
func (n node) spec(a *Application) {
	if n.absent() {
		return
	}
	f := n.fields()
	v := f.get("project")
	switch a.Project = v.str(); a.Project {
	case DefaultProject:
	case "":
		if v.absent() || v.value == "" {
			v.warn(`is missing: taken as "default"`)
		}
		a.Project = DefaultProject
	default:
		v.fail("%.80q: projects other than default are not supported yet", a.Project)
	}
	f.later("sources", "sourceHydrator", "info", "revisionHistoryLimit")
	if v := f.need("destination"); !v.absent() {
		a.Destination = v.destination()
	}
	if v := f.get("source"); !v.absent() {
		v.source(a)
	} else if l, _ := f.m["sources"].([]any); len(l) == 0 {
		f.need("source")
	}
	a.IgnoreDifferences = f.get("ignoreDifferences").ignoreDifferences()
	a.Sync = f.get("syncPolicy").syncPolicy()
	f.end()
}
