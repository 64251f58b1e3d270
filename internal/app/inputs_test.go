package app_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "slipway/internal/app"
)

func inputs() Inputs {
	a := orderService
	a.Source.Helm = &Helm{ValueFiles: []string{"values.yaml"}, ValuesObject: []byte(`{"a":1}`), Parameters: []Parameter{{Name: "b", Value: "2"}}}
	a.Annotations = map[string]string{"z": "1", "a": "2"}
	return Inputs{Application: a, Files: map[string][]byte{
		"apps/order-service/Chart.yaml":   []byte("name: order-service\n"),
		"apps/order-service/values.yaml":  {},
		"files/application.json":          []byte("of the user, not ours"),
		strings.Repeat("long/", 60) + "ä": {0, 1, 255},
	}}
}

func TestABundleDecodesToWhatWasEncoded(t *testing.T) {
	for name, in := range map[string]Inputs{"with files": inputs(), "without files": {Application: orderService, Files: map[string][]byte{}}} {
		t.Run(name, func(t *testing.T) {
			b, err := in.Encode()
			if err != nil {
				t.Fatal(err)
			}
			got, err := DecodeInputs(b)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(in, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestEqualInputsHaveEqualBytes(t *testing.T) {
	first, err := inputs().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		in := inputs()
		in.Files = map[string][]byte{}
		files := inputs().Files
		for _, p := range slices.Backward(slices.Sorted(maps.Keys(files))) {
			in.Files[p] = files[p]
		}
		b, err := in.Encode()
		if err != nil || !bytes.Equal(first, b) {
			t.Fatalf("differ: %v", err)
		}
	}
}

// An application whose digest is equal gets no sync (protocol rule 7), so whatever rendering sees must change it.
func TestEveryDifferenceChangesTheDigest(t *testing.T) {
	digests := map[string]string{}
	for name, change := range map[string]func(*Inputs){
		"nothing": func(*Inputs) {},
		"a byte":  func(in *Inputs) { in.Files["apps/order-service/Chart.yaml"] = []byte("name: order-servicf\n") },
		"a file's name": func(in *Inputs) {
			in.Files["x"] = in.Files["apps/order-service/values.yaml"]
			delete(in.Files, "apps/order-service/values.yaml")
		},
		"one file more": func(in *Inputs) { in.Files["y"] = nil },
		"one file less": func(in *Inputs) { delete(in.Files, "apps/order-service/values.yaml") },
		"where files end": func(in *Inputs) {
			in.Files["apps/order-service/Chart.yaml"], in.Files["apps/order-service/values.yaml"] = nil, in.Files["apps/order-service/Chart.yaml"]
		},
		"a value file":        func(in *Inputs) { in.Application.Source.Helm.ValueFiles = []string{"other.yaml"} },
		"the destination":     func(in *Inputs) { in.Application.Destination.Namespace = "other" },
		"the application":     func(in *Inputs) { in.Application.Name = "other" },
		"the target revision": func(in *Inputs) { in.Application.Source.TargetRevision = "dev" },
		"the policy":          func(in *Inputs) { in.Application.Sync.Prune = false },
	} {
		in := inputs()
		change(&in)
		b, err := in.Encode()
		if err != nil {
			t.Fatal(err)
		}
		d := Digest(b)
		if other, twice := digests[d]; twice {
			t.Errorf("%s and %s have the same digest", name, other)
		}
		digests[d] = name
	}
}

func TestDigestNamesTheHash(t *testing.T) {
	const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if got := Digest(nil); got != empty {
		t.Errorf("got %s", got)
	}
}

func TestDecodeInputsRefusesWhatEncodeDidNotWrite(t *testing.T) {
	good, err := inputs().Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nothing":            nil,
		"no archive":         []byte("hello"),
		"an empty archive":   archive(t),
		"files alone":        archive(t, "files/a", "x"),
		"no JSON":            archive(t, "application.json", "x"),
		"a second spec":      archive(t, "application.json", "{}", "application.json", "{}"),
		"an unknown entry":   archive(t, "application.json", "{}", "other/a", "x"),
		"a file twice":       archive(t, "application.json", "{}", "files/a", "x", "files/a", "y"),
		"more than it holds": archive(t, "application.json", "{}")[:1024+100],
		"half an archive":    good[:len(good)/2],
		"a cut header":       good[:700],
	} {
		t.Run(name, func(t *testing.T) {
			if in, err := DecodeInputs(b); err == nil {
				t.Errorf("decoded %v", in)
			} else if !strings.HasPrefix(err.Error(), "decode bundle") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// archive is a tar of names and contents in turn.
func archive(t *testing.T, entries ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := 0; i < len(entries); i += 2 {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: entries[i], Mode: 0o600, Size: int64(len(entries[i+1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprint(w, entries[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
