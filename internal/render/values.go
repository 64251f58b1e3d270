package render

import (
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// userValues is what the Application gives to its chart, later over earlier: valueFiles in order, then valuesObject or
// values, then parameters with those of forceString last (argo-cd.md 2.1.4; helm pkg/cli/values/options.go).
func userValues(in app.Inputs) (map[string]any, error) {
	h := in.Application.Source.Helm
	if h == nil {
		return map[string]any{}, nil
	}
	env := environment(in.Application)
	files, err := valueFiles(in, env)
	if err != nil {
		return nil, err
	}
	values := map[string]any{}
	for _, f := range files {
		v, err := decodeValues(f, in.Files[f])
		if err != nil {
			return nil, err
		}
		values = merge(values, v)
	}
	switch {
	case len(h.ValuesObject) > 0:
		v, err := decodeValues("spec.source.helm.valuesObject", h.ValuesObject)
		if err != nil {
			return nil, err
		}
		values = merge(values, v)
	case h.Values != "":
		v, err := decodeValues("spec.source.helm.values", []byte(h.Values))
		if err != nil {
			return nil, err
		}
		values = merge(values, v)
	}
	return values, setParameters(values, h.Parameters, env)
}

// setParameters applies the parameters; of two with one name the last counts.
func setParameters(values map[string]any, parameters []app.Parameter, env map[string]string) error {
	last := map[app.Parameter]int{} // by name and forceString
	key := func(p app.Parameter) app.Parameter { return app.Parameter{Name: p.Name, ForceString: p.ForceString} }
	for i, p := range parameters {
		last[key(p)] = i
	}
	for _, forced := range []bool{false, true} {
		for i, p := range parameters {
			if p.ForceString != forced || last[key(p)] != i {
				continue
			}
			v, err := substitute(p.Value, env)
			if err != nil {
				return fault.New(fault.Invalid, "spec.source.helm.parameters[%d] (%.64q): %w", i, p.Name, err)
			}
			if err := setParameter(values, p.Name, v, p.ForceString); err != nil {
				return fault.New(fault.Invalid, "spec.source.helm.parameters[%d]: %w", i, err)
			}
		}
	}
	return nil
}

// valueFiles resolves valueFiles to paths from the root of the repository: relative to the source's path, from the root
// with a leading slash, never outside of the repository, never a URL (argo-cd.md 2.1.6, security R9; CVE-2022-24348). A
// glob gives its files in lexical order; a file that is also named by itself stays where it is named, and none comes twice.
func valueFiles(in app.Inputs, env map[string]string) ([]string, error) {
	h := in.Application.Source.Helm
	resolved := make([]string, len(h.ValueFiles))
	explicit := map[string]bool{}
	for i, raw := range h.ValueFiles {
		p, err := resolveValueFile(in.Application.Source.Path, raw, env)
		if err != nil {
			return nil, fault.New(fault.Invalid, "spec.source.helm.valueFiles[%d] %.200q: %w", i, raw, err)
		}
		resolved[i] = p
		if !isGlob(p) {
			explicit[p] = true
		}
	}
	var out []string
	seen := map[string]bool{}
	add := func(p string) {
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	for i, p := range resolved {
		missing := true
		switch _, ok := in.Files[p]; {
		case ok:
			missing = false
			add(p)
		case isGlob(p):
			for _, f := range sortedKeys(in.Files) {
				if doublestar.MatchUnvalidated(p, f) {
					missing = false
					if !explicit[f] {
						add(f)
					}
				}
			}
		}
		if missing && !h.IgnoreMissingValueFiles {
			return nil, fault.New(fault.Invalid, "spec.source.helm.valueFiles[%d] %.200q: no such file in the repository: %s", i, h.ValueFiles[i], p)
		}
	}
	return out, nil
}

func resolveValueFile(source, raw string, env map[string]string) (string, error) {
	if ref, _, _ := strings.Cut(raw, "/"); strings.HasPrefix(ref, "$") && !strings.Contains(ref, environmentPrefix) {
		return "", fault.New(fault.Invalid, "names another source (%s): applications with several sources are not supported yet", ref)
	}
	p, err := substitute(raw, env)
	switch {
	case err != nil:
		return "", err
	case p == "":
		return "", fault.New(fault.Invalid, "is empty")
	case strings.Contains(p, "://"):
		return "", fault.New(fault.Invalid, "is a URL: put the file into the repository")
	case strings.ContainsAny(p, "\x00\\"):
		return "", fault.New(fault.Invalid, "is not a slash-separated path")
	case isGlob(p) && !doublestar.ValidatePattern(p):
		return "", fault.New(fault.Invalid, "is not a pattern")
	}
	if strings.HasPrefix(p, "/") {
		p = path.Join(".", strings.TrimLeft(p, "/"))
	} else {
		p = path.Join(source, p)
	}
	if p == ".." || strings.HasPrefix(p, "../") || slices.Contains([]string{".", ""}, p) {
		return "", fault.New(fault.Invalid, "is outside of the repository")
	}
	return p, nil
}

func isGlob(p string) bool { return strings.ContainsAny(p, "*?[{") }

func decodeValues(file string, data []byte) (map[string]any, error) {
	if err := checkMapping(file, data); err != nil {
		return nil, err
	}
	v := map[string]any{}
	if err := yaml.Unmarshal(data, &v); err != nil {
		return nil, fault.New(fault.Invalid, "%s: has keys or values that JSON does not have", file)
	}
	return v, nil
}

// merge puts b over a: maps are merged, all else is replaced, a null stays so that it can take away a chart's default.
func merge(a, b map[string]any) map[string]any {
	for k, v := range b {
		if bm, ok := v.(map[string]any); ok {
			if am, ok := a[k].(map[string]any); ok {
				a[k] = merge(am, bm)
				continue
			}
		}
		a[k] = v
	}
	return a
}
