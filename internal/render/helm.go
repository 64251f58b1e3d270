package render

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// output is one rendered file.
type output struct {
	file string // from the root of the repository
	text string
}

// maxOutput is how much text all templates of a chart may give; more cannot be allowed objects (manifest.MaxTotal).
const maxOutput = 40 << 20

// secondRender is how long a first render may take that a second one still follows.
const secondRender = 2 * time.Second

// renderHelm is helm template --include-crds as Argo CD calls it (argo-cd.md 2.1): always a first install, lookup empty
// and no DNS, for the engine gets neither a rest.Config nor EnableDNS (security R4, R5; CVE-2026-41050, CVE-2023-25165).
func renderHelm(in app.Inputs, files map[string][]byte, t app.Target, said *helmLog) (manifest.Rendered, error) {
	r, err := newRelease(in, files, t)
	if err != nil {
		return manifest.Rendered{}, err
	}
	began := time.Now()
	first, err := r.templates()
	if err != nil {
		return manifest.Rendered{}, err
	}
	if took := time.Since(began); took > secondRender {
		r.warn("%s: took %s, so it was rendered once only, and whether its output is deterministic is not known", r.dir, took.Round(time.Second))
	} else if err := r.compare(first); err != nil {
		return manifest.Rendered{}, err
	}
	var out manifest.Rendered
	for _, f := range append(r.crds(), r.manifests(first)...) {
		objs, err := manifest.ParseYAML(f.file, []byte(f.text))
		if err != nil { // the line counts in what the template gave, not in the template
			return manifest.Rendered{}, fault.New(fault.Invalid, "%s (line of the rendered output)", r.scrub().text(err.Error()))
		}
		out.Objects = append(out.Objects, objs...)
	}
	out.Warnings = append(r.warnings, said.warnings(r.dir, r.scrub)...)
	return out, nil
}

// compare renders again and warns of the templates that then give something else (security R13).
func (r *release) compare(first map[string]string) error {
	second, err := r.templates()
	if err != nil {
		return err
	}
	for _, f := range sortedKeys(first) {
		if first[f] != second[f] {
			r.warn("output not deterministic: %s", r.repoPath(f))
		}
	}
	return nil
}

func (r *release) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// release is a chart and all that it is rendered with.
type release struct {
	dir      string
	chart    *chart.Chart
	values   map[string]any
	options  chartutil.ReleaseOptions
	caps     *chartutil.Capabilities
	skipCRDs bool
	scrub    func() *scrubber // made when there is something to say
	warnings []string
}

func newRelease(in app.Inputs, files map[string][]byte, t app.Target) (*release, error) {
	dir, h := in.Application.Source.Path, in.Application.Source.Helm
	if h == nil {
		h = &app.Helm{}
	}
	r := &release{dir: dir, skipCRDs: h.SkipCRDs, options: chartutil.ReleaseOptions{
		Name:      cmp.Or(h.ReleaseName, in.Application.Name),
		Namespace: cmp.Or(h.Namespace, in.Application.Destination.Namespace),
		Revision:  1,
		IsInstall: true,
	}}
	if err := chartutil.ValidateReleaseName(r.options.Name); err != nil {
		return nil, fault.New(fault.Invalid, "release name %.64q: must be lower-case letters, digits, dashes and dots, at most 53: set spec.source.helm.releaseName", r.options.Name)
	}
	var err error
	if r.caps, err = capabilities(h, t); err != nil {
		return nil, err
	}
	if r.chart, err = loadChart(dir, files); err != nil {
		return nil, err
	}
	md := r.chart.Metadata
	if md.KubeVersion != "" && !chartutil.IsCompatibleRange(md.KubeVersion, r.caps.KubeVersion.Version) {
		return nil, fault.New(fault.Invalid, "%s: the chart wants Kubernetes %s, the cluster has %s", path.Join(dir, "Chart.yaml"), md.KubeVersion, r.caps.KubeVersion.Version)
	}
	if md.Deprecated {
		r.warn("%s: the chart is marked as deprecated", path.Join(dir, "Chart.yaml"))
	}
	w, err := checkDependencies(dir, r.chart)
	if err != nil {
		return nil, err
	}
	r.warnings = append(r.warnings, w...)
	if r.values, err = userValues(in); err != nil {
		return nil, err
	}
	r.scrub = sync.OnceValue(func() *scrubber {
		return newScrubber(visible(r.chart, files, in), values(r.chart), r.values, readable(r.chart))
	})
	if err := chartutil.ProcessDependenciesWithMerge(r.chart, r.values); err != nil {
		return nil, fault.New(fault.Invalid, "%s: %s", path.Join(dir, "Chart.yaml"), r.scrub().text(err.Error()))
	}
	if h.SkipSchemaValidation {
		return r, nil
	}
	all, err := chartutil.CoalesceValues(r.chart, r.values)
	if err != nil {
		return nil, fault.New(fault.Invalid, "values of %s: %s", dir, r.scrub().text(err.Error()))
	}
	return r, checkSchemas(dir, r.chart, all)
}

// capabilities is what .Capabilities says: the version without a vendor's suffix, and the API versions after those that
// Helm knows by itself (argo-cd.md 2.1.2).
func capabilities(h *app.Helm, t app.Target) (*chartutil.Capabilities, error) {
	caps := chartutil.DefaultCapabilities.Copy()
	if v := cmp.Or(h.KubeVersion, t.KubeVersion); v != "" {
		kube, err := chartutil.ParseKubeVersion(v)
		if err != nil {
			return nil, fault.New(fault.Invalid, "Kubernetes version %.64q is not a version", v)
		}
		caps.KubeVersion = *kube
	}
	versions := t.APIVersions
	if len(h.APIVersions) > 0 {
		versions = h.APIVersions
	}
	caps.APIVersions = append(slices.Clone(chartutil.DefaultVersionSet), versions...)
	return caps, nil
}

// visible is the text whose words an error may show.
func visible(c *chart.Chart, files map[string][]byte, in app.Inputs) []string {
	text := append(sortedKeys(files), in.Application.Name, in.Application.Source.Path)
	var walk func(*chart.Chart)
	walk = func(c *chart.Chart) {
		text = append(text, c.ChartFullPath())
		for _, f := range c.Templates {
			text = append(text, f.Name, string(f.Data))
		}
		for _, d := range c.Dependencies() {
			walk(d)
		}
	}
	walk(c)
	return text
}

// readable is the text of the files that templates can read; nil when none of them reads any. A chart keeps keys and
// configuration there (security R15).
func readable(c *chart.Chart) []any {
	var all []any
	reads := false
	var walk func(*chart.Chart)
	walk = func(c *chart.Chart) {
		for _, f := range c.Templates { // tpl: a value may be the template that reads
			reads = reads || bytes.Contains(f.Data, []byte("Files")) || bytes.Contains(f.Data, []byte("tpl"))
		}
		for _, f := range c.Files {
			all = append(all, string(f.Data))
		}
		for _, d := range c.Dependencies() {
			walk(d)
		}
	}
	if walk(c); !reads {
		return nil
	}
	return all
}

// values is the default values of a chart and its subcharts.
func values(c *chart.Chart) any {
	all := []any{c.Values}
	for _, d := range c.Dependencies() {
		all = append(all, values(d))
	}
	return all
}

// templates renders every template once. The values are made anew each time, for templates can change them (set).
func (r *release) templates() (map[string]string, error) {
	v, err := chartutil.ToRenderValuesWithSchemaValidation(r.chart, r.values, r.options, r.caps, true)
	if err != nil {
		return nil, fault.New(fault.Invalid, "values of %s: %s", r.dir, r.scrub().text(err.Error()))
	}
	out, err := engine.Engine{}.Render(r.chart, v)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s", r.message(err.Error()))
	}
	total := 0
	for _, text := range out {
		if total += len(text); total > maxOutput {
			return nil, fault.New(fault.Invalid, "%s: the templates give more than %d MiB of text", r.dir, maxOutput>>20)
		}
	}
	return out, nil
}

// crds is the files of crds/, subcharts' included, before everything else.
func (r *release) crds() []output {
	if r.skipCRDs {
		return nil
	}
	var out []output
	for _, c := range r.chart.CRDObjects() {
		out = append(out, output{file: r.repoPath(c.Filename), text: string(c.File.Data)})
	}
	return out
}

var separator = regexp.MustCompile(`(?m)^---([^\s-])`)

// manifests is what the templates gave, in the order of their names, without notes.
func (r *release) manifests(rendered map[string]string) []output {
	var out []output
	for _, name := range sortedKeys(rendered) {
		if strings.HasSuffix(name, "NOTES.txt") || strings.TrimSpace(rendered[name]) == "" {
			continue
		}
		// A template that trims the line end after its --- is common, and Helm splits there all the same (helm
		// pkg/releaseutil/manifest.go).
		out = append(out, output{file: r.repoPath(name), text: separator.ReplaceAllString(rendered[name], "---\n$1")})
	}
	return out
}

// repoPath is a file's path from the root of the repository; Helm names it by chart: order-service/templates/x.yaml.
func (r *release) repoPath(name string) string {
	return path.Join(r.dir, strings.TrimPrefix(name, r.chart.Name()+"/"))
}

var (
	located   = regexp.MustCompile(`^(?:parse|execution) error (?:at|in) \(([^)]+)\): `)
	templated = regexp.MustCompile(`template: `)
)

// message is Helm's error with paths of the repository, the place in front, and no values.
func (r *release) message(msg string) string {
	own := regexp.MustCompile(`(^|[\s"(:])` + regexp.QuoteMeta(r.chart.Name()) + `/(templates|charts)/`)
	msg = own.ReplaceAllString(r.scrub().text(msg), "${1}"+path.Join(strings.ReplaceAll(r.dir, "$", "$$"), "${2}")+"/")
	msg = located.ReplaceAllString(msg, "$1: ")
	return cut(templated.ReplaceAllString(msg, ""))
}
