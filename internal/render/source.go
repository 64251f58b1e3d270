package render

import (
	"path"
	"strings"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// under gives the files below dir by their path from it.
func under(files map[string][]byte, dir string) map[string][]byte {
	if dir == "" || dir == "." {
		return files
	}
	out := map[string][]byte{}
	for p, data := range files {
		if rest, ok := strings.CutPrefix(p, dir+"/"); ok {
			out[rest] = data
		}
	}
	return out
}

type tool uint8

const (
	directory tool = iota
	helm
)

// detect says how the source is rendered: by the block that the Application has, else by what lies in its path
// (argo-cd.md 2.1.9). What would be rendered differently by Argo CD is refused.
func detect(in app.Inputs, files map[string][]byte) (tool, error) {
	src := in.Application.Source
	if len(files) == 0 {
		return 0, fault.New(fault.Invalid, "path %s: there is no such folder in the repository, or it is empty", src.Path)
	}
	for _, name := range []string{".argocd-source.yaml", ".argocd-source-" + in.Application.Name + ".yaml"} {
		if _, ok := files[name]; ok {
			return 0, fault.New(fault.Invalid, "%s: files that change an Application's source are not supported: put it into the Application", path.Join(src.Path, name))
		}
	}
	_, chart := files["Chart.yaml"]
	switch {
	case src.Helm != nil && src.Directory != nil:
		return 0, fault.New(fault.Invalid, "spec.source: has both helm and directory")
	case src.Helm != nil && !chart:
		return 0, fault.New(fault.Invalid, "%s: is missing, and spec.source.helm asks for a chart", path.Join(src.Path, "Chart.yaml"))
	case src.Helm != nil:
		return helm, nil
	case src.Directory != nil:
		return directory, nil
	case chart:
		return helm, nil
	}
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		if _, ok := files[name]; ok {
			return 0, fault.New(fault.Invalid, "%s: kustomize is not supported yet", path.Join(src.Path, name))
		}
	}
	return directory, nil
}
