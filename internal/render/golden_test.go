package render

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/manifest"
)

var update = flag.Bool("update", false, "write what is rendered as what is wanted")

var target = app.Target{KubeVersion: "v1.36.3-eks-1234", APIVersions: []string{"apps/v1", "apps/v1/Deployment", "example.com/v1/Widget"}}

const (
	applicationPart = "application.json"
	wantPart        = "want"
)

// parts reads a file of sections that each begin with a line "-- name --".
func parts(text string) (names []string, content map[string]string) {
	content = map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if n, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "-- "); ok && strings.HasSuffix(n, " --") {
			name = strings.TrimSuffix(n, " --")
			names = append(names, name)
			content[name] = ""
			continue
		}
		content[name] += line
	}
	return names, content
}

// golden is one case: an application, the files of its repository, and what they render to.
func golden(t *testing.T, file string) (app.Inputs, string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	names, content := parts(string(data))
	in := app.Inputs{Files: map[string][]byte{}}
	in.Application = application("apps/web")
	for _, n := range names {
		switch n {
		case applicationPart:
			if err := json.Unmarshal([]byte(content[n]), &in.Application); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		case wantPart:
		default:
			in.Files[n] = []byte(content[n])
		}
	}
	return in, content[wantPart]
}

func application(path string) app.Application {
	return app.Application{
		Namespace: "argocd", Name: "web", Project: "default",
		Source:      app.Source{RepoURL: "https://github.com/myorg/k8s-config", TargetRevision: "main", Path: path},
		Destination: app.Destination{Namespace: "production"},
	}
}

// shown is the result as text.
func shown(t *testing.T, r manifest.Rendered, err error) string {
	t.Helper()
	if err != nil {
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("error is %v, want invalid: %v", fault.Of(err), err)
		}
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	for _, o := range r.Objects {
		y, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "--- # %s\n%s", o.File, y)
	}
	return b.String()
}

// heard is inProcess with what Helm logs, as in the child.
func heard(in app.Inputs) (manifest.Rendered, error) {
	said := &helmLog{}
	flags := log.Flags()
	log.SetFlags(0)
	log.SetOutput(said)
	defer func() { log.SetFlags(flags); log.SetOutput(os.Stderr) }()
	return inProcess(in, target, said)
}

// TestRenderedOutputIsTheGoldenOne: values that must not be shown are called CANARY.
func TestRenderedOutputIsTheGoldenOne(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			in, want := golden(t, file)
			r, err := heard(in)
			got := shown(t, r, err)
			if strings.Contains(got, "CANARY") {
				t.Errorf("a value is shown:\n%s", got)
			}
			if *update {
				rewrite(t, file, got)
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rendered differs (-want +got):\n%s", diff)
			}
		})
	}
}

func rewrite(t *testing.T, file, want string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(data), "-- "+wantPart+" --\n")
	if err := os.WriteFile(file, []byte(head+"-- "+wantPart+" --\n"+want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// repository reads a folder as the files of a repository.
func repository(t testing.TB, dir string) map[string][]byte {
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

const sample = "../local/demo/k8s-config"

// orderService is the sample that the demo pushes too.
func orderService(t testing.TB, valueFiles ...string) app.Inputs {
	t.Helper()
	in := app.Inputs{Application: application("apps/order-service"), Files: repository(t, sample)}
	in.Application.Name = "order-service"
	in.Application.Source.Helm = &app.Helm{ValueFiles: valueFiles}
	return in
}

// TestTheSampleRendersForEachEnvironment says what the demo counts on, and no more: the sample is the demo's.
func TestTheSampleRendersForEachEnvironment(t *testing.T) {
	for env, want := range map[string]string{
		"production": "5 replicas of myorg/order-service:1.2.0, selected by map[app.kubernetes.io/instance:order-service app.kubernetes.io/name:order-service]",
		"staging":    "1 replicas of myorg/order-service:1.3.0-rc.1, selected by map[app.kubernetes.io/instance:order-service app.kubernetes.io/name:order-service]",
	} {
		t.Run(env, func(t *testing.T) {
			r, err := InProcess(orderService(t, "values.yaml", "values-"+env+".yaml"), target)
			if err != nil || len(r.Warnings) > 0 {
				t.Fatalf("warnings %q, error %v", r.Warnings, err)
			}
			for _, o := range r.Objects {
				if err := manifest.Refuse(o); err != nil {
					t.Error(err)
				}
				if o.GetKind() != "Deployment" {
					continue
				}
				replicas, _, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
				selector, _, _ := unstructured.NestedStringMap(o.Object, "spec", "selector", "matchLabels")
				containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
				image := containers[0].(map[string]any)["image"] //nolint:errcheck,forcetypeassert // a panic fails the test too
				if got := fmt.Sprintf("%d replicas of %v, selected by %v", replicas, image, selector); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
				return
			}
			t.Error("no Deployment")
		})
	}
}
