package render

import (
	"strings"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// InProcess renders in this process: what the child does, and nothing else should, for a template can end the process
// that runs it. No rendered objects is no error here. Errors are fault.Invalid, name file and line where there is one,
// and hold no values.
func InProcess(in app.Inputs, t app.Target) (manifest.Rendered, error) {
	return inProcess(in, t, &helmLog{})
}

func inProcess(in app.Inputs, t app.Target, said *helmLog) (out manifest.Rendered, err error) {
	defer func() {
		if p := recover(); p != nil { // CVE-2024-26147, CVE-2025-55198: the loader's; what p says may be a value
			out, err = manifest.Rendered{}, fault.New(fault.Invalid, "%s: rendering panicked (%T)", in.Application.Source.Path, p)
		}
	}()
	files := under(in.Files, in.Application.Source.Path)
	how, err := detect(in, files)
	if err != nil {
		return manifest.Rendered{}, err
	}
	if how == helm {
		out, err = renderHelm(in, files, t, said)
	} else {
		out.Objects, out.Warnings, err = renderDirectory(in, files)
	}
	if err != nil {
		return manifest.Rendered{}, err
	}
	h := in.Application.Source.Helm
	skipTests := h != nil && h.SkipTests
	kept := out.Objects[:0]
	for _, o := range out.Objects {
		if manifest.LeftOut(o) || skipTests && isTest(o) {
			continue
		}
		out.Warnings = append(out.Warnings, manifest.ListMapDuplicates(o)...)
		manifest.LastWins(o)
		kept = append(kept, o)
	}
	out.Objects = kept
	return out, manifest.CheckLimits(out.Objects)
}

// isTest is what helm template --skip-tests leaves out: a hook that is a test among other things (helm
// cmd/helm/template.go). A hook that is nothing but a test is always left out, as Argo CD does.
func isTest(o manifest.Object) bool {
	for h := range strings.SplitSeq(o.GetAnnotations()["helm.sh/hook"], ",") {
		if h = strings.TrimSpace(h); h == "test" || h == "test-success" {
			return true
		}
	}
	return false
}
