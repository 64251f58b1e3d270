// Package arch holds the architecture as rules over the source: which floor a package is on and what it may import,
// where each SDK has its home, what security forbids by name, and how long files may be. Its test fails when the tree
// breaks one. It reads source files and not what `go list` builds, so that no build tag hides anything.
package arch

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// module is the name in go.mod.
const module = "slipway"

// File is one Go source file.
type File struct {
	Path    string // from the module's root, with slashes
	Package string // its directory's path in the module: internal/app, "." for the root
	Nested  bool   // in a module of its own
	Lines   int
	AST     *ast.File
	fset    *token.FileSet
}

// Test says whether only `go test` compiles it.
func (f File) Test() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Imports lists what it imports, ours without the module's name: internal/app.
func (f File) Imports() []string {
	var out []string
	for _, spec := range f.AST.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has refused it before
		}
		if p == module {
			p = "."
		}
		out = append(out, strings.TrimPrefix(p, module+"/"))
	}
	return out
}

// at is the place of a node, for people and editors: internal/app/decode.go:12.
func (f File) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.Path, f.fset.Position(n.Pos()).Line)
}

// Load reads every Go file under root. Hidden directories and testdata are left out, as the go command does.
func Load(root string) ([]File, error) {
	var files []File
	nested := map[string]bool{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
				return fs.SkipDir
			}
			_, err := os.Stat(filepath.Join(name, "go.mod"))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			nested[rel] = rel != "." && (err == nil || nested[path.Dir(rel)])
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		f, err := load(name, rel)
		if err != nil {
			return err
		}
		f.Nested = nested[f.Package]
		files = append(files, f)
		return nil
	})
	return files, err
}

func load(name, rel string) (File, error) {
	src, err := os.ReadFile(name) //nolint:gosec // a source file of ours
	if err != nil {
		return File{}, err
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, rel, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return File{}, fmt.Errorf("parse %w", err)
	}
	lines := strings.Count(string(src), "\n")
	return File{Path: rel, Package: path.Dir(rel), Lines: lines, AST: parsed, fset: fset}, nil
}

// under says whether path p is dir or below it.
func under(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

func underAny(p string, dirs []string) bool {
	for _, d := range dirs {
		if under(p, d) {
			return true
		}
	}
	return false
}
