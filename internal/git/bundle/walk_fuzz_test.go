package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"strings"
	"testing"
)

// FuzzWalk feeds raw tar bytes (compressed here, so that the fuzzer need not learn gzip): whatever comes, no panic, and
// only clean paths below the top directory are visited, each once, with as many bytes as said.
func FuzzWalk(f *testing.F) {
	seed := func(entries ...entry) {
		f.Add(packTar(f, append([]entry{global(string(sha)), {name: top + "/"}}, entries...)...))
	}
	seed()
	seed(file("a/x.yaml", "x: 1"))
	seed(file("a/x.yaml", "x: 1"), file("A/x.yaml", "x: 1"))
	seed(file("../x", "x"))
	seed(file(strings.Repeat("long/", 60)+"x", "x"))
	seed(entry{name: top + "/link", Header: tar.Header{Typeflag: tar.TypeSymlink, Linkname: ".."}})
	seed(file("\u017fx", ""), file("sx", ""))
	f.Fuzz(func(t *testing.T, data []byte) {
		seen := map[string]bool{}
		limits := Limits{Stream: 1 << 20}.orDefaults()
		_ = walk(t.Context(), bytes.NewReader(zipLevel(t, data, gzip.NoCompression)), sha, limits, func(name string, size int64, body io.Reader) error {
			if name != path.Clean(name) || name == "." || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "..") || strings.ContainsAny(name, "\\\x00") {
				t.Errorf("visited %q", name)
			}
			if key := strings.ToLower(name); seen[key] {
				t.Errorf("visited %q twice", name)
			} else {
				seen[key] = true
			}
			n, err := io.Copy(io.Discard, body)
			if err == nil && n != size {
				t.Errorf("%q: %d bytes, said %d", name, n, size)
			}
			return err
		})
	})
}

// FuzzModules holds that any .gitmodules gives clean paths and no panic.
func FuzzModules(f *testing.F) {
	f.Add([]byte("[submodule \"x\"]\n\tpath = lib/x\n\turl = https://example.com\n"))
	f.Add([]byte("path=\"a b\"\npath =\nPATH = ./c/\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, p := range parseModules(data) {
			if p != path.Clean(p) {
				t.Errorf("path %q", p)
			}
		}
	})
}
