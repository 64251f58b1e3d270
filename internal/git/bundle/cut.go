// Package bundle cuts one archive of a repository into the inputs of the applications that lie in it. The archive is
// streamed once; only files that some application needs are kept, in memory, and a file that several need is kept once.
// Nothing is ever written to a file system (security S1), so no name in an archive can reach out of it.
//
// Archives honour .gitattributes: a path with export-ignore is not in them and is reported as missing, and export-subst
// has been applied (security S9).
package bundle

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/revision"
)

// Limits are the caps of security S4, counted while streaming. A zero field means the default.
type Limits struct {
	AppBytes   int64 // one application's inputs: 100 MiB
	FileBytes  int64 // one file of them: 5 MiB
	AppFiles   int   // how many files: 10,000
	HeldBytes  int64 // the files kept for all applications together: 512 MiB
	Stream     int64 // the whole archive, expanded: 2 GiB
	Entries    int   // files and directories in it: 500,000
	Ratio      int64 // expanded to compressed: 200 ...
	RatioFloor int64 // ... looked at once so much has been expanded: 100 MiB, as much as one application may have
}

func (l Limits) orDefaults() Limits {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.AppBytes, 100<<20)
	def(&l.FileBytes, 5<<20)
	def(&l.HeldBytes, 512<<20)
	def(&l.Stream, 2<<30)
	def(&l.Ratio, 200)
	def(&l.RatioFloor, 100<<20)
	if l.AppFiles == 0 {
		l.AppFiles = 10_000
	}
	if l.Entries == 0 {
		l.Entries = 500_000
	}
	return l
}

// Result is one application's inputs, or why that application has none: fault.Invalid, naming the path.
type Result struct {
	Inputs app.Inputs
	Err    error
}

// Cut reads a gzip tar of the repository at sha, as git archive and GitHub make it, and gives each application the files
// under its source path and its Helm value files.
//
// The returned error concerns the archive and so all applications: Invalid when it is of another commit (security S5) or
// hostile (links, devices, paths that leave it or come twice, a bomb; S2, S3, S4); Unavailable when it is truncated,
// corrupt or ctx ended, for another try. There is no partial result: with an error the map is nil.
func Cut(ctx context.Context, archive io.Reader, sha revision.SHA, apps []app.Application, limits Limits) (map[app.Name]Result, error) {
	limits = limits.orDefaults()
	c := cutter{sha: sha, limits: limits, want: newWant()}
	for i, a := range apps {
		p := &part{app: a, files: map[string][]byte{}}
		p.err = c.want.add(i, a)
		c.parts = append(c.parts, p)
	}
	if err := walk(ctx, archive, sha, limits, c.visit); err != nil {
		return nil, err
	}
	out := make(map[app.Name]Result, len(apps))
	for _, p := range c.parts {
		if p.err == nil {
			p.err = c.check(p)
		}
		if p.err != nil {
			out[p.app.Key()] = Result{Err: fmt.Errorf("cut inputs of %s at %s: %w", p.app.Key(), sha.Short(), p.err)}
			continue
		}
		out[p.app.Key()] = Result{Inputs: app.Inputs{Application: p.app, Files: p.files}}
	}
	return out, nil
}

// part is one application's share while it grows. With err set it takes no more and holds nothing.
type part struct {
	app   app.Application
	files map[string][]byte
	size  int64
	err   error
}

func (p *part) fail(format string, args ...any) {
	p.err, p.files = fault.New(fault.Invalid, format, args...), nil
}

type cutter struct {
	sha     revision.SHA
	limits  Limits
	want    *want
	parts   []*part
	held    int64
	modules submodules
}

// visit takes one file of the archive, by its path from the root of the repository.
func (c *cutter) visit(name string, size int64, body io.Reader) error {
	var takers []*part
	for _, i := range c.want.of(name) {
		if c.parts[i].err == nil {
			takers = append(takers, c.parts[i])
		}
	}
	modules := name == modulesFile && size <= modulesCap
	if len(takers) == 0 && !modules {
		return nil
	}
	if strings.ContainsFunc(name, unprintable) {
		for _, p := range takers {
			p.fail("%.200q: the name holds control characters", name)
		}
		return nil
	}
	if size > c.limits.FileBytes {
		for _, p := range takers {
			p.fail("%s has %d bytes, at most %d are allowed", name, size, c.limits.FileBytes)
		}
		return nil
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(body, data); err != nil {
		return err
	}
	if modules {
		c.modules = parseModules(data)
	}
	if len(takers) == 0 {
		return nil
	}
	if isPointer(data) {
		for _, p := range takers {
			p.fail("%s is a Git LFS pointer: LFS is not supported", name)
		}
		return nil
	}
	c.held += size
	for _, p := range takers {
		switch p.size += size; {
		case len(p.files) >= c.limits.AppFiles:
			p.fail("more than %d files", c.limits.AppFiles)
		case p.size > c.limits.AppBytes:
			p.fail("more than %d bytes of files", c.limits.AppBytes)
		default:
			p.files[name] = data
		}
	}
	for c.held > c.limits.HeldBytes {
		if c.held = c.holds(); c.held > c.limits.HeldBytes && !c.dropLargest() {
			break
		}
	}
	return nil
}

// holds is the bytes of all files that are kept, each counted once.
func (c *cutter) holds() int64 {
	unique := map[string]int64{}
	for _, p := range c.parts {
		for name, data := range p.files {
			unique[name] = int64(len(data))
		}
	}
	var sum int64
	for _, n := range unique {
		sum += n
	}
	return sum
}

// dropLargest keeps one application from taking the memory of all: when together they need more than there is, the
// largest is refused, then the next.
func (c *cutter) dropLargest() bool {
	var largest *part
	for _, p := range c.parts {
		if p.err == nil && (largest == nil || p.size > largest.size) {
			largest = p
		}
	}
	if largest == nil || largest.size == 0 {
		return false
	}
	largest.fail("needs %d bytes of files, more than this run can hold", largest.size)
	c.held = c.holds()
	return true
}

// check says what is missing from a part once the archive has been read.
func (c *cutter) check(p *part) error {
	dir := p.app.Source.Path
	if m, ok := c.modules.at(dir); ok {
		return fault.New(fault.Invalid, "%s: %s is a git submodule: submodules are not supported", dir, m)
	}
	found := false
	for name := range p.files {
		if under(dir, name) {
			found = true
			break
		}
	}
	if !found {
		return fault.New(fault.Invalid, "%s: no such directory at %s", dir, c.sha.Short())
	}
	return c.checkValueFiles(p)
}

// under reports whether the file lies in dir, at any depth.
func under(dir, name string) bool {
	return dir == "." || len(name) > len(dir) && name[len(dir)] == '/' && name[:len(dir)] == dir
}

func validDir(dir string) error {
	if !fs.ValidPath(dir) {
		return fault.New(fault.Invalid, "path %.200q: want a clean path from the root of the repository", dir)
	}
	return nil
}
