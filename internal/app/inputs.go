package app

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Inputs is all that rendering needs: the Application as it was declared when the inputs were cut, and the files of its
// source, by clean slash path from the root of the repository. Nothing from a repository touches a file system
// (security S1).
type Inputs struct {
	Application Application
	Files       map[string][]byte
}

// Target is what rendering must know of the cluster it renders for.
type Target struct {
	KubeVersion string   // "v1.36.3"
	APIVersions []string // group/version and group/version/Kind, both (argo-cd util/argo/argo.go:733)
}

const (
	applicationEntry = "application.json"
	filePrefix       = "files/"
	trailer          = 1024 // zero bytes end a tar
)

// Encode is the bundle's bytes, the same for equal inputs: a tar of the application and its files in path order.
func (in Inputs) Encode() ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	spec, err := json.Marshal(in.Application)
	if err != nil {
		return nil, fmt.Errorf("encode bundle of %s: %w", in.Application.Key(), err)
	}
	put := func(name string, data []byte) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return fmt.Errorf("encode %s: %w", name, err)
		}
		if _, err := w.Write(data); err != nil {
			return fmt.Errorf("encode %s: %w", name, err)
		}
		return nil
	}
	if err := put(applicationEntry, spec); err != nil {
		return nil, err
	}
	for _, p := range slices.Sorted(maps.Keys(in.Files)) {
		if err := put(filePrefix+p, in.Files[p]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("encode bundle of %s: %w", in.Application.Key(), err)
	}
	return buf.Bytes(), nil
}

// DecodeInputs reads what Encode wrote, and refuses everything else.
func DecodeInputs(data []byte) (Inputs, error) {
	in := Inputs{Files: map[string][]byte{}}
	if !bytes.HasSuffix(data, make([]byte, trailer)) { // the reader takes an archive that was cut between entries for whole
		return Inputs{}, errors.New("decode bundle: it was cut off")
	}
	r := tar.NewReader(bytes.NewReader(data))
	for first := true; ; first = false {
		h, err := r.Next()
		if errors.Is(err, io.EOF) && !first {
			return in, nil
		}
		if err != nil {
			return Inputs{}, fmt.Errorf("decode bundle: %w", err)
		}
		if h.Typeflag != tar.TypeReg || h.Size > int64(len(data)) { // a sparse entry would be larger than what holds it
			return Inputs{}, fmt.Errorf("decode bundle: entry %q is no plain file", h.Name)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return Inputs{}, fmt.Errorf("decode bundle entry %s: %w", h.Name, err)
		}
		if first {
			if h.Name != applicationEntry {
				return Inputs{}, fmt.Errorf("decode bundle: first entry is %q, want %s", h.Name, applicationEntry)
			}
			if err := json.Unmarshal(b, &in.Application); err != nil {
				return Inputs{}, fmt.Errorf("decode bundle's application: %w", err)
			}
			continue
		}
		name, ok := strings.CutPrefix(h.Name, filePrefix)
		if _, twice := in.Files[name]; !ok || twice {
			return Inputs{}, fmt.Errorf("decode bundle: unexpected entry %q", h.Name)
		}
		in.Files[name] = b
	}
}

// Digest names a blob: "sha256:" and the hash in hexadecimal.
func Digest(data []byte) string {
	h := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(h[:])
}
