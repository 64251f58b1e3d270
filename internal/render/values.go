package render

import (
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
	env := in.Application.Environment()
	files, err := valueFiles(in)
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
			v, err := app.Substitute(p.Value, env)
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

// valueFiles are the files that spec.source.helm.valueFiles names, by their paths from the root of the repository. A
// glob gives its files in lexical order; a file that is also named by itself stays where it is named, and none comes
// twice (argo-cd.md 2.1.6).
func valueFiles(in app.Inputs) ([]string, error) {
	h := in.Application.Source.Helm
	resolved, err := in.Application.ValueFiles()
	if err != nil {
		return nil, err
	}
	explicit := map[string]bool{}
	for i, p := range resolved {
		switch glob := app.IsGlob(p); {
		case glob && !doublestar.ValidatePattern(p):
			return nil, fault.New(fault.Invalid, "spec.source.helm.valueFiles[%d] %.200q: is not a pattern", i, h.ValueFiles[i])
		case !glob:
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
		case app.IsGlob(p):
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
