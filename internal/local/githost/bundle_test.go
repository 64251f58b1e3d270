package githost_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/git/bundle"
	"slipway/internal/git/hook"
	"slipway/internal/git/source"
	"slipway/internal/local/githost"
	"slipway/internal/revision"
	"slipway/internal/secret"
)

func cut(t *testing.T, g *source.GitHub, at, claimed string, apps ...app.Application) (map[app.Name]bundle.Result, error) {
	t.Helper()
	body, err := g.Archive(t.Context(), configRepo, revision.SHA(at))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	return bundle.Cut(t.Context(), body, revision.SHA(claimed), apps, bundle.Limits{})
}

func in(dir string, values ...string) app.Application {
	a := app.Application{Namespace: "argocd", Name: strings.ReplaceAll(dir, "/", "-"), Project: "default"}
	a.Source.Path = dir
	if values != nil {
		a.Source.Helm = &app.Helm{ValueFiles: values}
	}
	return a
}

func TestApplicationsAreCutFromARealRepository(t *testing.T) {
	url, _, _ := serve(t, githost.Options{})
	g := reader(t, url)
	w := clone(t, url+"/git/o/r.git")
	first := w.commit(map[string]string{
		"apps/a/Chart.yaml": "name: a\n", "apps/a/templates/ä b.yaml": "x: 1\n", "common/prod.yaml": "p: 1\n", "README.md": "hello\n",
	})
	second := w.commit(map[string]string{
		"apps/a/" + strings.Repeat("long-name-", 20) + "/values.yaml": "deep: 1\n", ".gitattributes": "apps/hidden export-ignore\n", "apps/hidden/x.yaml": "x: 1\n",
	})
	w.git("push", "--quiet", "origin", "main")

	got, err := cut(t, g, second, second, in("apps/a", "/common/*.yaml"), in("apps/hidden"), in("apps/none"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"apps/a/Chart.yaml", "apps/a/" + strings.Repeat("long-name-", 20) + "/values.yaml", "apps/a/templates/ä b.yaml", "common/prod.yaml"}
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(got["argocd/apps-a"].Inputs.Files))); d != "" {
		t.Errorf("(-want +got)\n%s\n%v", d, got["argocd/apps-a"].Err)
	}
	for _, name := range []app.Name{"argocd/apps-hidden", "argocd/apps-none"} {
		if r := got[name]; !fault.Is(r.Err, fault.Invalid) || !strings.Contains(r.Err.Error(), "no such directory at "+second[:7]) {
			t.Errorf("%s: %v", name, r.Err)
		}
	}
	if got, err := cut(t, g, first, second, in("apps/a")); got != nil || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "it is of commit") {
		t.Errorf("the archive of another commit: %v", err)
	}
}

func TestWhatAnArchiveCannotHoldIsRefused(t *testing.T) {
	url, _, _ := serve(t, githost.Options{})
	g := reader(t, url)
	w := clone(t, url+"/git/o/r.git")
	lib := w.commit(map[string]string{"apps/a/x.yaml": "x: 1\n", "apps/b/x.yaml": "x: 1\n"})
	w.git("update-index", "--add", "--cacheinfo", "160000,"+lib+",apps/b/lib")
	if err := os.WriteFile(filepath.Join(w.dir, ".gitmodules"), []byte("[submodule \"lib\"]\n\tpath = apps/b/lib\n\turl = https://example.com/lib\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.git("add", ".gitmodules")
	w.git("commit", "--quiet", "-m", "submodule")
	sub := w.git("rev-parse", "HEAD")
	if err := os.Symlink("../../../../etc/passwd", filepath.Join(w.dir, "link")); err != nil {
		t.Fatal(err)
	}
	w.git("add", "link")
	w.git("commit", "--quiet", "-m", "link")
	link := w.git("rev-parse", "HEAD")
	w.git("push", "--quiet", "origin", "main")

	got, err := cut(t, g, sub, sub, in("apps/a"), in("apps/b"))
	if err != nil || got["argocd/apps-a"].Err != nil || !strings.Contains(got["argocd/apps-b"].Err.Error(), "apps/b/lib is a git submodule") {
		t.Errorf("a submodule: %v %v", err, got)
	}
	if got, err := cut(t, g, link, link, in("apps/a")); got != nil || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "/link\" is a link") {
		t.Errorf("a link: %v", err)
	}
}

// TestAPushIsWhatTheWebhookReads joins the host to git/hook: what is pushed arrives there as the move it is.
func TestAPushIsWhatTheWebhookReads(t *testing.T) {
	key := secret.Key{ID: "one", Value: secret.Of(strings.Repeat("s", 32))}
	h, err := hook.New(t.Context(), hook.Static(key), 0)
	if err != nil {
		t.Fatal(err)
	}
	url, ch, _ := serve(t, githost.Options{Secret: key.Value})
	read := func() hook.Delivery {
		d := next(t, ch)
		header := map[string]string{}
		for k := range d.Header {
			header[strings.ToLower(k)] = d.Header.Get(k)
		}
		got, err := h.GitHub(context.WithoutCancel(t.Context()), header, d.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != d.Header.Get("X-GitHub-Delivery") || got.KeyID != "one" {
			t.Errorf("delivery %+v", got)
		}
		return got
	}
	w := clone(t, url+"/git/MyOrg/K8s-Config.git")
	id := w.commit(map[string]string{"a": "1"})
	w.git("push", "--quiet", "origin", "main", "main:feature/x")
	for _, want := range []revision.Move{
		{Repository: "github.com/myorg/k8s-config", Ref: "feature/x", Hint: revision.SHA(id)},
		{Repository: "github.com/myorg/k8s-config", Ref: "main", Default: true, Hint: revision.SHA(id)},
	} {
		got := read()
		if len(got.Moves) != 1 {
			t.Fatalf("moves %+v (%s)", got.Moves, got.Ignored)
		}
		m := got.Moves[0]
		m.Delivery, m.Received = "", 0
		if m != want {
			t.Errorf("move %+v, want %+v", m, want)
		}
	}
	ping(t, url+"/api/v3/repos/myorg/k8s-config/hooks/1/pings")
	if got := read(); got.Event != "ping" || len(got.Moves) != 0 {
		t.Errorf("ping: %+v", got)
	}
}
