package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/internal/render"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == render.ChildCommand { // rendering runs this program again
		os.Exit(render.Child(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const application = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  source: {repoURL: https://github.com/myorg/k8s-config, path: apps/shop, targetRevision: main}
  destination: {server: https://kubernetes.default.svc, namespace: production}
`

func TestRenderPrintsManifestsInTheOrderOfApply(t *testing.T) {
	dir := tree(t, map[string]string{
		"app.yaml":          application,
		"apps/shop/1.yaml":  "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n",
		"apps/shop/2.yaml":  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
		"apps/shop/3.yaml":  "apiVersion: v1\nkind: Namespace\nmetadata: {name: production}\n",
		"apps/other/4.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n",
		".git/config":       "[core]\n",
	})
	code, out, errs := call("render", filepath.Join(dir, "app.yaml"), "--source", dir)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	at := -1
	for _, want := range []string{"# Source: apps/shop/3.yaml\n", "kind: Namespace", "name: a\n", "name: b\n", "# Source: apps/shop/1.yaml\n", "kind: Deployment"} {
		i := strings.Index(out, want)
		if i <= at {
			t.Errorf("%q is at %d, after %d:\n%s", want, i, at, out)
		}
		at = i
	}
	if strings.Contains(out, "other") {
		t.Error("another application's file was rendered")
	}
}

func TestRenderNamesTheFileOfWhatIsWrong(t *testing.T) {
	good := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"the declaration": {map[string]string{"app.yaml": strings.Replace(application, "  project:", "  syncWindows: [{}]\n  project:", 1), "apps/shop/a.yaml": good}, "app.yaml:5: spec.syncWindows"},
		"a manifest":      {map[string]string{"app.yaml": application, "apps/shop/a.yaml": good + "data: {a: 1, a: 2}\n"}, "apps/shop/a.yaml:4"},
		"a hook": {map[string]string{"app.yaml": application, "apps/shop/a.yaml": strings.Replace(good, "name: a", `name: a, annotations: {argocd.argoproj.io/hook: PreSync}`, 1)},
			"apps/shop/a.yaml: ConfigMap a: annotation argocd.argoproj.io/hook"},
		"a path that is not there": {map[string]string{"app.yaml": application, "apps/other/a.yaml": good}, "apps/shop"},
		"no declaration":           {map[string]string{"app.yaml": "# nothing\n"}, "app.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := tree(t, tt.files)
			code, out, errs := call("render", filepath.Join(dir, "app.yaml"), "--source", dir)
			if code != exitUsage || out != "" || !strings.Contains(errs, tt.want) {
				t.Errorf("exit code %d, stdout %q, stderr %q, want %q in it", code, out, errs, tt.want)
			}
		})
	}
}

func TestRenderRefusesLinksAsAGitHostsArchiveIsRefused(t *testing.T) {
	dir := tree(t, map[string]string{"app.yaml": application, "apps/shop/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"})
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "apps/shop/link.yaml")); err != nil {
		t.Fatal(err)
	}
	code, out, errs := call("render", filepath.Join(dir, "app.yaml"), "--source", dir)
	if code != exitUsage || out != "" || !strings.Contains(errs, "apps/shop/link.yaml") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, errs)
	}
}

func TestRenderExpandsASet(t *testing.T) {
	set := `apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: set, namespace: argocd}
spec:
  generators: [{list: {elements: [{env: one}, {env: two}]}}]
  template:
    metadata: {name: 'shop-{{env}}'}
    spec:
      source: {repoURL: https://github.com/myorg/k8s-config, path: 'apps/{{env}}'}
      destination: {server: https://kubernetes.default.svc, namespace: production}
`
	dir := tree(t, map[string]string{"set.yaml": set, "apps/one/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: first}\n", "apps/two/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: second}\n"})
	code, out, errs := call("render", filepath.Join(dir, "set.yaml"), "--source", dir)
	if code != exitDone || !strings.Contains(out, "name: first") || !strings.Contains(out, "name: second") || !strings.Contains(errs, "warning:") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, errs)
	}
}
