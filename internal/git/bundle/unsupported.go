package bundle

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// Submodules and LFS objects are not in an archive: a submodule is an empty directory, an LFS file a few lines that
// point to it. Both would render to something else than what the repository means, so they are refused (security S9).
const (
	modulesFile = ".gitmodules"
	modulesCap  = 1 << 20
	pointerCap  = 1024 // a pointer is smaller: git-lfs docs/spec.md
)

var pointers = [][]byte{
	[]byte("version https://git-lfs.github.com/spec/v1\n"),
	[]byte("version https://hawser.github.com/spec/v1\n"), // its name before the first release
}

func isPointer(data []byte) bool {
	return len(data) < pointerCap && slices.ContainsFunc(pointers, func(p []byte) bool { return bytes.HasPrefix(data, p) })
}

// submodules is their paths.
type submodules []string

// parseModules reads the paths out of a .gitmodules file, which is in git's config format.
func parseModules(data []byte) submodules {
	var out submodules
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(line, "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(key), "path") {
			continue
		}
		value = strings.Trim(strings.TrimSpace(value), `"`)
		if p := path.Clean(value); value != "" && p != "." {
			out = append(out, p)
		}
	}
	return out
}

// at is a submodule that dir contains, is, or lies in.
func (s submodules) at(dir string) (string, bool) {
	for _, m := range s {
		if m == dir || under(dir, m) || under(m, dir) {
			return m, true
		}
	}
	return "", false
}

// above is a submodule that a file would lie in.
func (s submodules) above(name string) (string, bool) {
	for _, m := range s {
		if m == name || under(m, name) {
			return m, true
		}
	}
	return "", false
}
