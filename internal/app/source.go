package app

import (
	"path"
	"regexp"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/version"
	sigs "sigs.k8s.io/yaml"

	"slipway/internal/revision"
)

// source reads spec.source, after the rest of the application: its variables stand for all of that.
func (n node) source(a *Application) {
	f := n.fields()
	a.Source = Source{
		RepoURL:        f.need("repoURL").repoURL(),
		TargetRevision: f.get("targetRevision").ref(),
		Path:           f.get("path").inside(),
	}
	f.later("chart", "kustomize", "plugin", "ref", "name")
	chart, _ := f.m["chart"].(string)
	if p := f.get("path"); chart == "" && (p.absent() || p.value == "") {
		p.fail(`is missing; "." is the root of the repository`)
	}
	if v := f.get("helm"); !v.absent() {
		a.Source.Helm = v.helm(a)
	}
	if v := f.get("directory"); !v.absent() {
		a.Source.Directory = v.directory()
		if a.Source.Helm != nil {
			v.fail("helm and directory exclude each other")
		}
	}
	f.end()
}

// repoURL keeps what the user wrote. A password in it would end up in the state (security X6, CVE-2023-25163), so it is
// refused, and not shown.
func (n node) repoURL() string {
	s := n.str()
	if _, ok := n.value.(string); !ok {
		return s
	}
	if before, rest, ok := strings.Cut(s, "@"); ok {
		scheme, user, hasScheme := strings.Cut(before, "://")
		ssh := hasScheme && strings.EqualFold(scheme, "ssh") || !hasScheme && strings.Contains(rest, ":")
		if !hasScheme {
			user = before
		}
		if !ssh || strings.ContainsAny(user+rest, "@") || strings.Contains(user, ":") { // git@host names nobody; a token may be a user's name
			n.fail("holds credentials: they belong into the configuration of the git host")
			return ""
		}
	}
	if _, err := revision.ParseRepository(s); err != nil {
		n.fail("%v", err)
	}
	return s
}

// ref is a branch, a tag or a commit id, by the rules of git check-ref-format. The signs of a version range are no part
// of any of these.
func (n node) ref() string {
	s := n.str()
	short, full := strings.CutPrefix(s, "refs/heads/")
	if !full {
		short, full = strings.CutPrefix(s, "refs/tags/")
	}
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`~^:?*[\<>=|,`, r)
	}
	switch {
	case s == "":
	case strings.HasPrefix(s, "refs/") && !full:
		n.fail("%.80q is neither a branch nor a tag", s) // refs/pull/7/head: pull requests never deploy (security P8)
	case strings.ContainsFunc(s, bad):
		n.fail("%.80q is no branch, tag or commit id; ranges of versions are not supported yet", s)
	case len(s) > 255, short == "", short == "@", short[0] == '-', strings.Contains(s, ".."), strings.Contains(s, "@{"), strings.Contains(s, "//"),
		strings.HasPrefix(short, "/"), strings.HasSuffix(s, "/"), strings.HasSuffix(s, "."), strings.HasSuffix(s, ".lock"), strings.HasPrefix(short, "."), strings.Contains(s, "/."):
		n.fail("%.80q is no branch, tag or commit id", s)
	}
	return s
}

// odd tells of signs that no path in a repository has (security S3).
func odd(s string) bool {
	return strings.ContainsFunc(s, unicode.IsControl) || strings.Contains(s, `\`) || len(s) > 1024
}

// outside tells whether a clean relative path leaves the directory it starts from.
func outside(p string) bool { return p == ".." || strings.HasPrefix(p, "../") || path.IsAbs(p) }

// inside is a clean path within the repository; "" when absent.
func (n node) inside() string {
	s := n.str()
	if s == "" {
		return ""
	}
	p := path.Clean(s)
	if odd(s) || outside(p) {
		n.fail("%.80q does not stay inside the repository", s)
		return ""
	}
	return p
}

var releaseForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)

// helm reads spec.source.helm.
func (n node) helm(a *Application) *Helm {
	f := n.fields()
	env := a.Environment()
	h := &Helm{
		ReleaseName:             f.get("releaseName").str(),
		ValueFiles:              f.get("valueFiles").strs(func(v node) { v.valueFile(a, env) }),
		IgnoreMissingValueFiles: f.get("ignoreMissingValueFiles").flag(),
		Values:                  f.get("values").valuesText(),
		Parameters:              f.get("parameters").parameters(env),
		SkipCRDs:                f.get("skipCrds").flag(),
		SkipSchemaValidation:    f.get("skipSchemaValidation").flag(),
		SkipTests:               f.get("skipTests").flag(),
		Namespace:               f.get("namespace").label(),
		KubeVersion:             f.get("kubeVersion").str(),
		APIVersions:             f.get("apiVersions").strs(func(node) {}),
	}
	if h.ReleaseName != "" && (len(h.ReleaseName) > 53 || !releaseForm.MatchString(h.ReleaseName)) { // helm chartutil.ValidateReleaseName
		f.get("releaseName").fail("%.80q is no release name: lower-case letters, digits, - and ., at most 53", h.ReleaseName)
	}
	if h.KubeVersion != "" {
		if _, err := version.ParseGeneric(h.KubeVersion); err != nil {
			f.get("kubeVersion").fail("%.80q is no version", h.KubeVersion)
		}
	}
	if v := f.get("valuesObject"); !v.absent() {
		m := v.fields().m
		if j, err := json.Marshal(m); err != nil {
			v.fail("is no JSON")
		} else if m != nil {
			h.ValuesObject = j
		}
	}
	if v := f.get("version"); v.str() != "" && v.str() != "v3" {
		v.fail("%.80q: only v3 is supported", v.str())
	}
	f.later("fileParameters", "passCredentials")
	f.end()
	return h
}

// valueFile is a path from the source's, or with a leading / from the root of the repository.
func (n node) valueFile(a *Application, env map[string]string) {
	if s := n.str(); s != "" && a.Source.Path != "" { // without a path that has been refused already
		if _, err := resolveValueFile(a.Source.Path, s, env); err != nil {
			n.fail("%.80q %v", s, err)
		}
	}
}

// valuesText is YAML text of a mapping, with the limits of a file: this process makes its values, not the render child.
// Its content is not shown: values may hold secrets.
func (n node) valuesText() string {
	s := n.str()
	var root yaml.Node
	problems := bounded("", text{data: []byte(s)}, &root, map[string]int{})
	var m map[string]any
	switch {
	case root.Kind == 0 && len(problems) > 0:
		n.fail("is not YAML of a mapping")
	case len(problems) > 0: // names keys and lines, no values
		n.fail("line %s", strings.TrimPrefix(problems[0].text, ":"))
	case sigs.Unmarshal([]byte(s), &m) != nil:
		n.fail("is not YAML of a mapping")
	}
	return s
}

func (n node) parameters(env map[string]string) []Parameter {
	var out []Parameter
	for _, e := range n.list() {
		f := e.fields()
		p := Parameter{Name: f.need("name").str(), Value: f.get("value").str(), ForceString: f.get("forceString").flag()}
		if f.m["name"] == "" {
			f.get("name").fail("is empty")
		}
		if _, err := Substitute(p.Value, env); err != nil {
			f.get("value").fail("%v", err) // the text is not shown: it may be a secret
		}
		f.end()
		out = append(out, p)
	}
	return out
}

// directory reads spec.source.directory.
func (n node) directory() *Directory {
	f := n.fields()
	d := &Directory{Recurse: f.get("recurse").flag(), Include: f.get("include").str(), Exclude: f.get("exclude").str()}
	if v := f.get("jsonnet"); v.value != nil {
		if m, ok := v.value.(map[string]any); !ok || len(m) > 0 { // Argo CD writes an empty one into what it stores
			v.fail("not supported yet")
		}
	}
	f.end()
	return d
}
