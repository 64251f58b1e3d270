package render

import (
	"bytes"
	"path"
	"strings"

	"github.com/gobwas/glob"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

const (
	maxDirectory = 10 << 20 // bytes of all manifests together, as Argo CD's default
	skipMark     = "+argocd:skip-file-rendering"
)

// renderDirectory takes the manifests of a folder as they are (argo-cd.md 2.2).
func renderDirectory(in app.Inputs, files map[string][]byte) ([]manifest.Object, []string, error) {
	var d app.Directory
	if in.Application.Source.Directory != nil {
		d = *in.Application.Source.Directory
	}
	chosen, err := choose(d, files)
	if err != nil {
		return nil, nil, err
	}
	var (
		objs     []manifest.Object
		warnings []string
		total    int
	)
	for _, name := range chosen {
		data, file := files[name], path.Join(in.Application.Source.Path, name)
		if bytes.Contains(data, []byte(skipMark)) {
			continue
		}
		if path.Ext(name) == ".jsonnet" {
			return nil, nil, fault.New(fault.Invalid, "%s: jsonnet is not supported yet", file)
		}
		if total += len(data); total > maxDirectory {
			return nil, nil, fault.New(fault.Invalid, "%s: the manifests up to this one have more than %d MiB", file, maxDirectory>>20)
		}
		found, err := manifest.ParseYAML(file, data)
		switch {
		case err == nil:
			objs = append(objs, found...)
		case path.Ext(name) == ".json" || isManifest(data):
			return nil, nil, err
		default: // a values file, a workflow: Argo CD passes over it, and says so only in its log
			warnings = append(warnings, file+": left out, it holds no Kubernetes objects")
		}
	}
	return objs, warnings, nil
}

// choose gives the names of the manifests in order. Exclude wins over include. As with Argo CD a star crosses slashes.
func choose(d app.Directory, files map[string][]byte) ([]string, error) {
	include, err := pattern("include", d.Include)
	if err != nil {
		return nil, err
	}
	exclude, err := pattern("exclude", d.Exclude)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range sortedKeys(files) {
		switch path.Ext(name) {
		case ".yaml", ".yml", ".json", ".jsonnet":
		default:
			continue
		}
		switch {
		case !d.Recurse && strings.Contains(name, "/"),
			exclude != nil && exclude.Match(name),
			include != nil && !include.Match(name):
		default:
			out = append(out, name)
		}
	}
	return out, nil
}

func pattern(field, s string) (glob.Glob, error) {
	if s == "" {
		return nil, nil
	}
	g, err := glob.Compile(s)
	if err != nil {
		return nil, fault.New(fault.Invalid, "spec.source.directory.%s: %.200q is not a pattern", field, s)
	}
	return g, nil
}

// isManifest is Argo CD's rule for whether a file that cannot be read was meant to be a manifest.
func isManifest(data []byte) bool {
	for _, key := range []string{"apiVersion:", "kind:", "metadata:"} {
		if !bytes.Contains(data, []byte(key)) {
			return false
		}
	}
	return true
}
