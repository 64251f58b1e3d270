package render

import (
	"bytes"
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/ignore"

	"slipway/internal/fault"
)

var byteOrderMark = []byte{0xEF, 0xBB, 0xBF}

// loadChart reads the chart from its files in memory, as Helm reads a folder: .helmignore counts, and nothing touches a
// file system (security S1).
func loadChart(dir string, files map[string][]byte) (*chart.Chart, error) {
	chartFile := path.Join(dir, "Chart.yaml")
	if err := checkChartFile(chartFile, files["Chart.yaml"]); err != nil {
		return nil, err
	}
	if data, ok := files["values.yaml"]; ok {
		if err := checkMapping(path.Join(dir, "values.yaml"), data); err != nil {
			return nil, err
		}
	}
	rules := ignore.Empty()
	if data, ok := files[ignore.HelmIgnore]; ok {
		r, err := ignore.Parse(bytes.NewReader(data))
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s: %w", path.Join(dir, ignore.HelmIgnore), err)
		}
		rules = r
	}
	rules.AddDefaults()
	if ignored(rules, "Chart.yaml") { // as by a pattern with !, which takes out all that it does not match
		return nil, fault.New(fault.Invalid, "%s: takes out Chart.yaml itself", path.Join(dir, ignore.HelmIgnore))
	}
	var buffered []*loader.BufferedFile
	for _, name := range sortedKeys(files) {
		if ignored(rules, name) {
			continue
		}
		buffered = append(buffered, &loader.BufferedFile{Name: name, Data: bytes.TrimPrefix(files[name], byteOrderMark)})
	}
	c, err := loader.LoadFiles(buffered)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s: %s", dir, cut(quoted.ReplaceAllString(err.Error(), masked)))
	}
	return c, settle(chartFile, c)
}

// settle checks every chart below c and puts subcharts in order: the loader keeps them in a map, and with the order of
// two charts the order of their CRDs would change from one render to the next.
func settle(file string, c *chart.Chart) error {
	if err := checkMetadata(file, c.Metadata); err != nil {
		return err
	}
	deps := c.Dependencies()
	slices.SortStableFunc(deps, func(a, b *chart.Chart) int {
		return cmp.Or(cmp.Compare(a.Name(), b.Name()), cmp.Compare(a.Metadata.Version, b.Metadata.Version))
	})
	for _, d := range deps {
		if err := settle(path.Join(path.Dir(file), "charts", d.Name(), "Chart.yaml"), d); err != nil {
			return err
		}
	}
	return nil
}

// ignored reports whether .helmignore takes out the file or a folder that it is in.
func ignored(rules *ignore.Rules, name string) bool {
	for i, c := range name {
		if c == '/' && rules.Ignore(name[:i], entry{name: path.Base(name[:i]), dir: true}) {
			return true
		}
	}
	return rules.Ignore(name, entry{name: path.Base(name)})
}

// entry is a file of the bundle as package ignore wants to see one.
type entry struct {
	name string
	dir  bool
}

func (e entry) Name() string       { return e.name }
func (e entry) Size() int64        { return 0 }
func (e entry) ModTime() time.Time { return time.Time{} }
func (e entry) IsDir() bool        { return e.dir }
func (e entry) Sys() any           { return nil }

func (e entry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir
	}
	return 0
}

// checkDependencies refuses a chart whose dependencies are not all vendored in charts/ (security R8: rendering has no
// network). What Helm passes over in silence is a warning: a subchart without its own dependencies, a vendored version
// outside of the range, which is then rendered whatever condition and tags say.
func checkDependencies(dir string, c *chart.Chart) (warnings []string, err error) {
	file := path.Join(dir, "Chart.yaml")
	for _, want := range c.Metadata.Dependencies {
		var versions []string
		fits := false
		for _, have := range c.Dependencies() {
			if have.Name() == want.Name {
				versions = append(versions, have.Metadata.Version)
				fits = fits || chartutil.IsCompatibleRange(want.Version, have.Metadata.Version)
			}
		}
		switch {
		case len(versions) == 0 && c.IsRoot():
			return nil, fault.New(fault.Invalid, "%s: dependency %s is missing in %s: rendering has no network, so run helm dependency update and commit what it puts there",
				file, want.Name, path.Join(dir, "charts"))
		case len(versions) == 0:
			warnings = append(warnings, file+": dependency "+want.Name+" is missing in its charts folder and is left out")
		case !fits:
			warnings = append(warnings, file+": dependency "+want.Name+" wants version "+want.Version+", charts has "+strings.Join(versions, ", "))
		}
	}
	warnings = append(warnings, checkLock(dir, c)...)
	for _, d := range c.Dependencies() {
		w, err := checkDependencies(path.Join(dir, "charts", d.Name()), d)
		if err != nil {
			return nil, err
		}
		warnings = append(warnings, w...)
	}
	return warnings, nil
}

// checkLock says where Chart.lock and charts/ tell two stories.
func checkLock(dir string, c *chart.Chart) (warnings []string) {
	if c.Lock == nil {
		return nil
	}
	for _, l := range c.Lock.Dependencies {
		if l == nil {
			continue
		}
		for _, have := range c.Dependencies() {
			if have.Name() == l.Name && have.Metadata.Version != l.Version {
				warnings = append(warnings, path.Join(dir, "Chart.lock")+": "+l.Name+" is locked to "+l.Version+", charts has "+have.Metadata.Version)
			}
		}
	}
	return warnings
}
