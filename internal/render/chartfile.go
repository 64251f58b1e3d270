package render

import (
	"fmt"
	"regexp"

	"helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"

	"slipway/internal/fault"
)

// The grammar of what names things in paths and labels (security R16; CVE-2026-35206 was a name of dots).
var (
	chartName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,249}$`)
	chartVersion = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+){0,2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

const maxVersion = 256

// checkChartFile reads a Chart.yaml before Helm does, so that what is wrong with it is an error with its path and not
// what Helm's decoder makes of it (CVE-2024-26147 and CVE-2025-55198 were panics).
func checkChartFile(file string, data []byte) error {
	if err := checkMapping(file, data); err != nil {
		return err
	}
	var md chart.Metadata
	if err := yaml.Unmarshal(data, &md); err != nil {
		return fault.New(fault.Invalid, "%s: a field has the wrong type", file)
	}
	if err := checkMetadata(file, &md); err != nil {
		return err
	}
	if md.Type == "library" {
		return fault.New(fault.Invalid, "%s: %s is a library chart: it has nothing to apply by itself", file, md.Name)
	}
	return nil
}

// checkMetadata checks the names, versions and lists of one chart.
func checkMetadata(file string, md *chart.Metadata) error {
	switch {
	case md == nil:
		return fault.New(fault.Invalid, "%s: is empty", file)
	case md.Name == "":
		return fault.New(fault.Invalid, "%s: name is missing", file)
	case !chartName.MatchString(md.Name):
		return fault.New(fault.Invalid, "%s: name %.64q is not letters, digits, dots, dashes and underscores that start with a letter or digit", file, md.Name)
	case md.Version == "":
		return fault.New(fault.Invalid, "%s: version is missing", file)
	case len(md.Version) > maxVersion || !chartVersion.MatchString(md.Version):
		return fault.New(fault.Invalid, "%s: version %.64q is not a semantic version", file, md.Version)
	}
	for i, d := range md.Dependencies {
		where := fmt.Sprintf("dependencies[%d]", i)
		switch {
		case d == nil:
			return fault.New(fault.Invalid, "%s: %s is null", file, where)
		case !chartName.MatchString(d.Name):
			return fault.New(fault.Invalid, "%s: %s.name %.64q is not a chart name", file, where, d.Name)
		case d.Alias != "" && !chartName.MatchString(d.Alias):
			return fault.New(fault.Invalid, "%s: %s.alias %.64q is not a chart name", file, where, d.Alias)
		}
	}
	return nil
}
