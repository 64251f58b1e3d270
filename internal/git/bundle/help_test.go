package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"slipway/internal/app"
	"slipway/internal/revision"
)

const (
	sha = revision.SHA("1a2b3c4d5e6f7081920a1b2c3d4e5f6071829304")
	top = "myorg-k8s-config-1a2b3c4"
)

// entry is one line of an archive; a name that ends in a slash is a directory.
type entry struct {
	name string
	text string
	tar.Header
}

func file(name, text string) entry { return entry{name: top + "/" + name, text: text} }

func global(comment string) entry {
	return entry{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": comment}}}
}

// pack is a gzip tar as git archive makes it: the commit first, then the top directory.
func pack(t testing.TB, entries ...entry) []byte {
	t.Helper()
	return zip(t, packTar(t, append([]entry{global(string(sha)), {name: top + "/"}}, entries...)...))
}

func packTar(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := e.Header
		if h.Name == "" {
			h.Name = e.name
		}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
			if h.Name != "" && h.Name[len(h.Name)-1] == '/' {
				h.Typeflag = tar.TypeDir
			}
		}
		if h.Typeflag != tar.TypeXGlobalHeader {
			h.Mode = 0o644
		}
		h.Size = int64(len(e.text))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatalf("%q: %v", h.Name, err)
		}
		if _, err := io.WriteString(w, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zip(t testing.TB, data []byte) []byte {
	t.Helper()
	return zipLevel(t, data, gzip.DefaultCompression)
}

func zipLevel(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := gzip.NewWriterLevel(&buf, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func at(name, dir string, valueFiles ...string) app.Application {
	a := app.Application{Namespace: "argocd", Name: name, Project: "default"}
	a.Source.Path = dir
	if len(valueFiles) > 0 {
		a.Source.Helm = &app.Helm{ValueFiles: valueFiles}
	}
	return a
}
