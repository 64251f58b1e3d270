package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"strconv"
	"strings"
)

const (
	fileLines = 400 // of any file, tests too
	mainLines = 60  // of a main: nothing but wiring
)

// Sizes reports files and mains that are too long.
func Sizes(files []File) []string {
	var out []string
	for _, f := range files {
		limit := fileLines
		if f.AST.Name.Name == "main" && !f.Test() && !f.Nested && !under(f.Package, "test") {
			limit = mainLines
		}
		if f.Lines > limit {
			out = append(out, fmt.Sprintf("%s: %d lines, %d at most", f.Path, f.Lines, limit))
		}
	}
	return out
}

// Comments reports packages that do not say what they are.
func Comments(files []File) []string {
	said, seen := map[string]bool{}, []string{}
	for _, f := range files {
		if f.Test() {
			continue
		}
		if !slices.Contains(seen, f.Package) {
			seen = append(seen, f.Package)
		}
		if f.AST.Doc != nil && strings.TrimSpace(f.AST.Doc.Text()) != "" {
			said[f.Package] = true
		}
	}
	var out []string
	for _, p := range seen {
		if !said[p] {
			out = append(out, p+": no package comment")
		}
	}
	return out
}

// ban forbids the use of some of a package's names.
type ban struct {
	pkg       string // import path
	functions []string
	in        []string // packages; nil: everywhere
	but       []string // files of those, with the reason beside
	why       string
}

// writers is what in package os makes or changes a file.
var writers = []string{
	"Chmod", "Chown", "Chtimes", "CopyFS", "Create", "CreateTemp", "Lchown", "Link", "Mkdir", "MkdirAll", "MkdirTemp",
	"OpenFile", "Remove", "RemoveAll", "Rename", "Symlink", "Truncate", "WriteFile",
}

var bans = []ban{
	// S1: the class of CVE-2022-24348, CVE-2024-25620 and many more: content that becomes a path.
	{
		"os", writers,
		[]string{"internal/git/source", "internal/git/bundle", "internal/render"},
		[]string{"internal/render/limits_linux.go"}, // writes its own oom_score_adj (R1)
		"security S1: nothing from a repository touches a file system",
	},
	// R4: with a rest.Config, a chart's lookup reads the cluster (CVE-2026-41050).
	{"helm.sh/helm/v3/pkg/engine", []string{"New", "RenderWithClient", "RenderWithClientProvider"}, nil, nil, "security R4: no engine with access to a cluster"},
	{"net/http", []string{"Get", "Post", "PostForm", "Head", "DefaultClient"}, nil, nil, "a request without a context or a deadline"},
}

// Calls reports uses of what is banned by name. Tests write what files they need.
func Calls(files []File) []string {
	var out []string
	for _, f := range files {
		if f.Nested || f.Test() || under(f.Package, "test") {
			continue
		}
		for _, b := range bans {
			if b.in != nil && !underAny(f.Package, b.in) || slices.Contains(b.but, f.Path) {
				continue
			}
			name := importedAs(f, b.pkg)
			if name == "" {
				continue
			}
			ast.Inspect(f.AST, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok || !slices.Contains(b.functions, sel.Sel.Name) {
					return true
				}
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
					out = append(out, fmt.Sprintf("%s: %s.%s: %s", f.at(n), b.pkg, sel.Sel.Name, b.why))
				}
				return true
			})
		}
	}
	return out
}

// importedAs is the name that f uses for a package, "" when it does not import it.
func importedAs(f File, pkg string) string {
	for _, spec := range f.AST.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err != nil || p != pkg {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return pkg[strings.LastIndex(pkg, "/")+1:]
	}
	return ""
}
