//go:build cluster

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/record"
	"slipway/test/e2e/up"
)

// broken are Application files with one mistake each: texts to replace in a good one, the line of the error, and what
// it says.
var broken = []struct {
	edit [2]string
	line int
	says string
}{
	{[2]string{"apiVersion: argoproj.io/v1alpha1", "apiVersion: argoproj.io/v1"}, 1, "argoproj.io/v1alpha1"},
	{[2]string{"kind: Application", "kind: Application\nkind: Application"}, 3, "kind"},
	{[2]string{"  name: good", "  name: Good_Name"}, 4, "Good_Name"},
	{[2]string{"  name: good", "  generateName: good-"}, 0, "generateName"},
	{[2]string{"  namespace: argocd", "  finalizers: [resources-finalizer.argocd.argoproj.io]"}, 5, "finalizer"},
	{[2]string{"  project: default", "  project: payments"}, 7, "payments"},
	{[2]string{"  source:", "  sources: [{repoURL: https://github.com/a/b}]\n  source:"}, 8, "spec.sources"},
	{[2]string{"repoURL: https://github.com/myorg/config", "repoURL: https://user:TOPSECRET@github.com/myorg/config"}, 9, "credentials"},
	{[2]string{"repoURL: https://github.com/myorg/config", "repoURL: ssh/me"}, 9, "spec.source.repoURL"},
	{[2]string{"targetRevision: main", "targetRevison: main"}, 10, "spec.source.targetRevison"},
	{[2]string{"targetRevision: main", "targetRevision: '>=1.0'"}, 10, "targetRevision"},
	{[2]string{"targetRevision: main", "targetRevision: refs/pull/7/head"}, 10, "targetRevision"},
	{[2]string{"path: deploy", "path: ../../etc"}, 11, "spec.source.path"},
	{[2]string{"path: deploy", "path: deploy\n    plugin: {name: p}"}, 12, "spec.source.plugin"},
	{[2]string{"path: deploy", "path: deploy\n    helm:\n      valueFiles: values.yaml"}, 13, "valueFiles"},
	{[2]string{"server: https://kubernetes.default.svc", "name: in-cluster\n    server: https://kubernetes.default.svc"}, 0, "server"},
	{[2]string{"prune: true", "prune: yes please"}, 17, "prune"},
	{[2]string{"automated:", "retry: {limit: 5}\n    automated:"}, 16, "syncPolicy.retry"},
	{[2]string{"      prune: true", "      prune: true\n    syncOptions: [Replace=true]"}, 18, "Replace"},
	{[2]string{"path: deploy", "path: deploy\n   indented: badly"}, 0, "did not find expected key"},
}

const goodApplication = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: good
  namespace: argocd
spec:
  project: default
  source:
    repoURL: https://github.com/myorg/config
    targetRevision: main
    path: deploy
  destination:
    server: https://kubernetes.default.svc
    namespace: NAMESPACE
  syncPolicy:
    automated:
      prune: true
`

// Twenty applications of applications, each with one good Application; then one push that breaks each file in another
// way. Each is refused with one error that names its file and line, and all that was declared and applied stays.
func TestTwentyBrokenApplicationFilesChangeNothing(t *testing.T) {
	t.Parallel()
	w := given(t)
	good := func(i int) string {
		text := strings.ReplaceAll(goodApplication, "NAMESPACE", w.ns)
		return strings.Replace(text, "name: good", "name: "+w.short(fmt.Sprintf("good-%02d", i)), 1)
	}
	child := func(i int) string { return fmt.Sprintf("good-%02d", i) }
	parent := func(i int) string { return fmt.Sprintf("parent-%02d", i) }
	w.Write(map[string]string{"deploy/Chart.yaml": chart("deploy"), "deploy/templates/settings.yaml": configMap("{{ .Release.Name }}", "a", "b")})
	for i := range broken {
		w.declare(parent(i), "namespace: "+w.ns, "namespace: argocd")
		w.Write(map[string]string{parent(i) + "/app.yaml": good(i)})
	}
	sha := w.Push("Good Applications")
	for i := range broken {
		w.applied(sha, parent(i), child(i))
	}
	before, versions := w.registered(), map[string]string{}
	for i := range broken {
		versions[child(i)] = w.get(configMaps, w.short(child(i))).GetResourceVersion()
	}

	for i, b := range broken {
		text := good(i)
		old := b.edit[0]
		if strings.Contains(old, "name: good") {
			old = strings.Replace(old, "good", w.short(fmt.Sprintf("good-%02d", i)), 1)
		}
		if !strings.Contains(text, old) {
			t.Fatalf("the good Application has no %q", old)
		}
		w.Write(map[string]string{parent(i) + "/app.yaml": strings.Replace(text, old, b.edit[1], 1)})
	}
	sha = w.Push("Break all")
	for i, b := range broken {
		reason := w.Refused(w.app(parent(i)), sha)
		where := fmt.Sprintf("%s/app.yaml:%d: ", parent(i), b.line)
		if b.line == 0 {
			where = parent(i) + "/app.yaml:"
		}
		if !strings.Contains(reason, where) || !strings.Contains(reason, b.says) || strings.Contains(reason, "\n") || strings.Contains(reason, "TOPSECRET") {
			t.Errorf("%q is refused with: %s; want one line with %s and %s", b.edit[1], reason, where, b.says)
		}
	}
	if d := cmp.Diff(before, w.registered()); d != "" {
		t.Errorf("the registry has changed:\n%s", d)
	}
	for s, version := range versions {
		if after := w.get(configMaps, w.short(s)).GetResourceVersion(); after != version {
			t.Errorf("a broken declaration has changed what %s has applied", s)
		}
	}
	for i := range broken {
		w.Write(map[string]string{parent(i) + "/app.yaml": good(i)})
	}
	sha = w.Push("Mend all")
	for i := range broken {
		w.Applied(w.app(parent(i)), sha)
	}
}

// registered is every application as it is declared.
func (w *world) registered() []app.Registered {
	w.t.Helper()
	all, err := w.Client.Applications(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var out []app.Registered
	for _, a := range all {
		out = append(out, a.Registered)
	}
	return out
}

// A symbolic link, anywhere in the repository, has the whole push refused; what was applied stays, and the next good
// push is applied.
func TestAPushWithALinkInItIsRefusedAndTheNextIsNot(t *testing.T) {
	t.Parallel()
	w := given(t)
	w.declare("web")
	w.Write(map[string]string{"web/settings.yaml": configMap("settings", "n", "1")})
	w.applied(w.Push("Good"), "web")
	w.Write(map[string]string{"web/settings.yaml": configMap("settings", "n", "2")})
	if err := os.Symlink("/etc/passwd", filepath.Join(w.Tree, "web", "passwd.yaml")); err != nil {
		t.Fatal(err)
	}
	sha := w.Push("A link")
	a := w.Awaits(w.app("web"), up.Seen, "refused", func(a known) bool { return string(a.Record.Refused.Rev) == sha })
	if r := a.Record.Refused.Reason; !strings.Contains(r, "web/passwd.yaml") || !strings.Contains(r, "link") {
		t.Errorf("the refusal does not name the link: %s", r)
	}
	if a.Status != "Unknown" || w.data("settings")["n"] != "1" {
		t.Errorf("%s; the cluster has %v", up.Say(a), w.data("settings"))
	}
	out, _, code := w.Run("app", "get", string(w.app("web")))
	if code != 0 || !strings.Contains(out, "web/passwd.yaml") {
		t.Errorf("slipway app get does not show why: %s", out)
	}
	w.Remove("web/passwd.yaml")
	w.applied(w.Push("Without it"), "web")
	if w.data("settings")["n"] != "2" {
		t.Errorf("the cluster has %v", w.data("settings"))
	}
}

// Templates that do not end, in the shapes that kill or stall a Go process: each fails its own application within its
// deadline, the others are applied meanwhile, and the memory of the process stays bounded.
func TestAStuckRenderFailsItsOwnApplicationOnly(t *testing.T) {
	t.Parallel()
	w := given(t)
	const (
		deadline = 8 * time.Second  // of one rendering
		slack    = 12 * time.Second // of a starved machine
	)
	bombs := map[string]string{
		"recursion": "{{tpl .Values.x . }}",                                                              // x is the template itself
		"range":     "{{range $i := until 30000000}}{{$i}}{{end}}",                                       // 3e7 rounds
		"nested":    "{{range until 4000}}{{range until 4000}}{{range until 4000}}{{end}}{{end}}{{end}}", // no memory, no end
		"output":    "{{range until 1000000}}{{repeat 1000 \"x\"}}{{end}}",                               // 1 GB
	}
	good := []string{"one", "two", "three"}
	for _, s := range good {
		w.declare(s)
		w.Write(map[string]string{s + "/settings.yaml": configMap(s, "n", "1")})
	}
	for name := range bombs {
		w.declare(name)
		w.Write(map[string]string{name + "/Chart.yaml": chart(name), name + "/templates/bomb.yaml": configMap(name, "a", "b")})
	}
	sha := w.Push("Good")
	w.applied(sha, good...)
	for name := range bombs {
		w.applied(sha, name)
	}
	peak := w.Peak()

	for name, text := range bombs {
		w.Write(map[string]string{name + "/templates/bomb.yaml": text, name + "/values.yaml": "x: '{{tpl .Values.x . }}'\n"})
	}
	for _, s := range good {
		w.Write(map[string]string{s + "/settings.yaml": configMap(s, "n", "2")})
	}
	begin := time.Now()
	sha = w.Push("Bombs")
	for _, s := range good {
		a := w.Applied(w.app(s), sha)
		if took := a.Last.Ended.Sub(begin); took > deadline+slack {
			t.Errorf("%s was applied after %s: more than one slot", s, took)
		}
		t.Logf("%s was applied after %s", s, a.Last.Ended.Sub(begin).Round(time.Millisecond))
	}
	for name := range bombs {
		reason := w.Refused(w.app(name), sha)
		last := w.Application(w.app(name)).Last
		if !strings.Contains(reason, name) {
			t.Errorf("the refusal of %s does not name it: %s", name, reason)
		}
		if took := last.Ended.Sub(last.Started); took > 2*deadline+slack { // one in the queue for a slot, one of its own
			t.Errorf("%s failed after %s", name, took)
		}
		t.Logf("%s after %s: %s", name, last.Ended.Sub(last.Started).Round(time.Millisecond), reason)
	}
	if after := w.Peak(); after > peak+128 {
		t.Errorf("the process grew from %d to %d MiB", peak, after)
	} else {
		t.Logf("peak memory %d MiB, before the bombs %d", after, peak)
	}
	if got := w.Application(w.app("recursion")).Record.History; got[1].Outcome != record.Applied {
		t.Errorf("history %+v", got)
	}
}
