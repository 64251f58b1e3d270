package bundle

import (
	"path"
	"slices"

	"github.com/bmatcuk/doublestar/v4"

	"slipway/internal/app"
	"slipway/internal/fault"
)

// want answers which applications need a file, by lookups in the number of its parent directories: an archive has up to
// 500,000 files and a repository hundreds of applications.
type want struct {
	dirs  map[string][]int // source path: applications
	files map[string][]int // value file: applications
	globs []glob
}

type glob struct {
	pattern string
	apps    []int
}

func newWant() *want {
	return &want{dirs: map[string][]int{}, files: map[string][]int{}}
}

// add registers application i. An error is that application's alone.
func (w *want) add(i int, a app.Application) error {
	if err := validDir(a.Source.Path); err != nil {
		return err
	}
	values, err := a.ValueFiles()
	if err != nil {
		return err
	}
	for n, p := range values {
		if app.IsGlob(p) && !doublestar.ValidatePattern(p) {
			return fault.New(fault.Invalid, "spec.source.helm.valueFiles[%d] %.200q: is not a pattern", n, a.Source.Helm.ValueFiles[n])
		}
	}
	w.dirs[a.Source.Path] = append(w.dirs[a.Source.Path], i)
	for _, p := range values {
		w.files[p] = append(w.files[p], i) // a file may have a name that looks like a pattern
		if !app.IsGlob(p) {
			continue
		}
		at := slices.IndexFunc(w.globs, func(g glob) bool { return g.pattern == p })
		if at < 0 {
			at = len(w.globs)
			w.globs = append(w.globs, glob{pattern: p})
		}
		w.globs[at].apps = append(w.globs[at].apps, i)
	}
	return nil
}

// of is the applications that need the file, each once.
func (w *want) of(name string) []int {
	var out []int
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		out = append(out, w.dirs[dir]...)
		if dir == "." {
			break
		}
	}
	out = append(out, w.files[name]...)
	for _, g := range w.globs {
		if doublestar.MatchUnvalidated(g.pattern, name) {
			out = append(out, g.apps...)
		}
	}
	if len(out) > 1 {
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return out
}

// checkValueFiles reports the first value file that is not there, unless the application says that this is no error.
func (c *cutter) checkValueFiles(p *part) error {
	h := p.app.Source.Helm
	if h == nil || h.IgnoreMissingValueFiles {
		return nil
	}
	values, err := p.app.ValueFiles()
	if err != nil {
		return err
	}
	for i, v := range values {
		_, ok := p.files[v]
		if !ok && app.IsGlob(v) {
			for name := range p.files {
				if ok = doublestar.MatchUnvalidated(v, name); ok {
					break
				}
			}
		}
		if ok {
			continue
		}
		hint := ""
		if m, in := c.modules.above(v); in {
			hint = ": " + m + " is a git submodule: submodules are not supported"
		}
		return fault.New(fault.Invalid, "spec.source.helm.valueFiles[%d] %.200q: no such file in the repository: %s%s", i, h.ValueFiles[i], v, hint)
	}
	return nil
}
