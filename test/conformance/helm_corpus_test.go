//go:build cluster

package conformance

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"slipway/internal/app"
)

const (
	corpus   = "testdata/charts"
	demo     = "../../internal/local/demo/k8s-config"
	chartDir = "apps/web"
)

// chartCase is one chart and the ways in which it is rendered.
type chartCase struct {
	name     string
	dir      string            // of the chart, from the root of its repository
	files    map[string][]byte // of the repository
	variants []variant
}

// variant is one Application of a chart.
type variant struct {
	name string
	helm string // YAML of spec.source.helm
	says string // both must refuse it and say this; "" if both must render it
}

// charts reads testdata/charts/*.txt: sections that begin with a line "-- name --". "-- helm NAME --" is a variant,
// "-- error NAME --" what its refusal says, all else files, by their path from apps/web or, with a leading slash, from
// the root of the repository. Without a variant there is one without a helm block.
func charts(t *testing.T) []chartCase {
	t.Helper()
	files, err := filepath.Glob(corpus + "/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no charts in %s: %v", corpus, err)
	}
	var out []chartCase
	for _, file := range files {
		c := chartCase{name: strings.TrimSuffix(filepath.Base(file), ".txt"), dir: chartDir, files: map[string][]byte{}}
		refused := map[string]string{}
		for _, s := range sections(t, file) {
			switch kind, name, _ := strings.Cut(s.name, " "); {
			case kind == "helm":
				c.variants = append(c.variants, variant{name: name, helm: s.text})
			case kind == "error":
				refused[name] = strings.TrimSpace(s.text)
			case strings.HasPrefix(s.name, "/"):
				c.files[s.name[1:]] = []byte(s.text)
			default:
				c.files[chartDir+"/"+s.name] = []byte(s.text)
			}
		}
		if len(c.variants) == 0 {
			c.variants = []variant{{}}
		}
		for i, v := range c.variants {
			c.variants[i].says = refused[v.name]
			delete(refused, v.name)
		}
		if len(refused) > 0 {
			t.Fatalf("%s: errors of no variant: %v", file, refused)
		}
		out = append(out, c)
	}
	return append(out, chartCase{name: "demo", dir: "apps/order-service", files: tree(t, demo), variants: []variant{
		{name: "defaults"},
		{name: "production", helm: "valueFiles: [values.yaml, values-production.yaml]"},
		{name: "staging", helm: "valueFiles: [values.yaml, values-staging.yaml]"},
	}})
}

// tree reads a folder as the files of a repository.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[p], err = os.ReadFile(filepath.Join(dir, p))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// write puts the files where helm can read them.
func write(t *testing.T, files map[string][]byte) (root string) {
	t.Helper()
	root = t.TempDir()
	for _, p := range slices.Sorted(maps.Keys(files)) {
		at := filepath.Join(root, filepath.FromSlash(p))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, files[p], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// declare is the Application of a variant, as its user writes it, read as slipway reads it.
func (c chartCase) declare(t *testing.T, v variant) app.Application {
	t.Helper()
	source := map[string]any{"repoURL": "https://github.com/myorg/k8s-config", "targetRevision": "main", "path": c.dir}
	if v.helm != "" {
		var helm map[string]any
		if err := yaml.UnmarshalStrict([]byte(v.helm), &helm); err != nil {
			t.Fatalf("helm block of %s: %v", v.name, err)
		}
		source["helm"] = helm
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
		"metadata": map[string]any{"name": "web", "namespace": "argocd"},
		"spec": map[string]any{
			"project": "default", "source": source,
			"destination": map[string]any{"server": "https://kubernetes.default.svc", "namespace": "production"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := app.Decode("argocd/web.yaml", text)
	if err != nil || len(d.Applications) != 1 {
		t.Fatalf("declare: %v", err)
	}
	return d.Applications[0].Application
}
