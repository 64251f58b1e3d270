//go:build cluster

package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"slipway/internal/manifest"
)

// objects are rendered objects by file, kind and name. Their order is not compared: slipway sorts what it applies, and
// helm template what it prints, each by its own rule.
type objects map[string]any

// add keeps objects of one file and name apart.
func (o objects) add(file, kind, name string, v any) {
	key := strings.TrimSpace(fmt.Sprintf("%s: %s %s", file, kind, name))
	for base, n := key, 2; ; n++ {
		if _, ok := o[key]; !ok {
			o[key] = v
			return
		}
		key = fmt.Sprintf("%s (%d)", base, n)
	}
}

// printed reads what helm template prints as kubectl would: documents are parsed one by one with sigs.k8s.io/yaml, those
// without content are passed over. "# Source: web/templates/x.yaml" names the file of all that follows.
func printed(t *testing.T, text, chart, dir string) objects {
	t.Helper()
	out, file := objects{}, "?"
	for r := kyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text))); ; {
		doc, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(doc)) {
			if source, ok := strings.CutPrefix(line, "# Source: "); ok {
				file = dir + "/" + strings.TrimPrefix(strings.TrimSpace(source), chart+"/")
			}
		}
		j, err := yaml.YAMLToJSON(doc)
		if err != nil {
			out.add(file, "no YAML", "", nil)
			continue
		}
		v := exact(t, j)
		m, isMap := v.(map[string]any)
		switch {
		case v == nil:
		case isMap:
			meta, _ := m["metadata"].(map[string]any)
			out.add(file, text0(m["kind"]), strings.TrimPrefix(text0(meta["namespace"])+"/"+text0(meta["name"]), "/"), v)
		default:
			out.add(file, "no object", "", v)
		}
	}
}

func text0(v any) string { s, _ := v.(string); return s }

// rendered is the same of what slipway renders.
func rendered(t *testing.T, objs []manifest.Object) objects {
	t.Helper()
	out := objects{}
	for _, o := range objs {
		j, err := json.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		id := o.ID()
		out.add(o.File, id.Kind, strings.TrimPrefix(id.Namespace+"/"+id.Name, "/"), exact(t, j))
	}
	return out
}

// exact decodes JSON and keeps numbers as they are written: 1 is not 1.0, and no digit is lost.
func exact(t *testing.T, j []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(j))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// compare says what differs, one line each, and how many objects both have.
func compare(helm, ours objects) (differences []string, both int) {
	for _, k := range slices.Sorted(maps.Keys(helm)) {
		if _, ok := ours[k]; !ok {
			differences = append(differences, "only helm: "+k)
			continue
		}
		both++
		for _, p := range paths(helm[k], ours[k], "") {
			differences = append(differences, "differs: "+k+": "+p)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := helm[k]; !ok {
			differences = append(differences, "only slipway: "+k)
		}
	}
	return differences, both
}

// paths are where two values differ.
func paths(a, b any, at string) []string {
	am, aok := a.(map[string]any)
	bm, bok := b.(map[string]any)
	if !aok || !bok {
		if reflect.DeepEqual(a, b) {
			return nil
		}
		return []string{at}
	}
	var out []string
	all := maps.Clone(am)
	maps.Copy(all, bm)
	for _, k := range slices.Sorted(maps.Keys(all)) {
		av, inA := am[k]
		bv, inB := bm[k]
		switch {
		case inA != inB:
			out = append(out, at+"."+k)
		default:
			out = append(out, paths(av, bv, at+"."+k)...)
		}
	}
	return out
}
