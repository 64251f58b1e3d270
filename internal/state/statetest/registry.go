package statetest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/revision"
)

func registered(name, repoURL string) app.Registered {
	return app.Registered{
		Application: app.Application{
			Namespace: "argocd", Name: name, Project: "default", Labels: map[string]string{"team": "orders"},
			Source: app.Source{RepoURL: repoURL, TargetRevision: "main", Path: "apps/" + name, Helm: &app.Helm{ValueFiles: []string{"values.yaml"}, ValuesObject: []byte(`{"a":1}`)}},
			Sync:   app.SyncPolicy{Automated: true},
		},
		Owner: "argocd/root", File: "apps/" + name + ".yaml", Warnings: []string{"no project: default"},
	}
}

func names(all []app.Registered) []app.Name {
	var out []app.Name
	for _, r := range all {
		out = append(out, r.Application.Key())
	}
	return out
}

func testRegistry(t *testing.T, open func(t *testing.T) Engine) {
	using := func(t *testing.T, e Engine, repo revision.Repository, want ...app.Name) {
		t.Helper()
		got, err := e.Registry.Using(t.Context(), repo)
		ok(t, err)
		if diff := cmp.Diff(want, names(got)); diff != "" {
			t.Fatalf("applications that use %s:\n%s", repo, diff)
		}
	}
	const one, oneToo, two = "https://git.example/org/one", "git@GIT.example:Org/one.git", "https://git.example/org/two"
	t.Run("keeps every field, across a restart", func(t *testing.T) {
		e := open(t)
		ok(t, e.Registry.Put(t.Context(), registered("a", one)))
		got, err := e.Reopen(t).Registry.Get(t.Context(), "argocd/a")
		ok(t, err)
		if diff := cmp.Diff(registered("a", one), got); diff != "" {
			t.Fatal(diff)
		}
	})
	t.Run("finds by repository, however its URL is written", func(t *testing.T) {
		e := open(t)
		for n, url := range map[string]string{"c": one, "a": oneToo, "b": two, "d": one + "-more"} {
			ok(t, e.Registry.Put(t.Context(), registered(n, url)))
		}
		using(t, e, "git.example/org/one", "argocd/a", "argocd/c")
		using(t, e, "git.example/org/two", "argocd/b")
		using(t, e, "git.example/org/on")
		all, err := e.Registry.All(t.Context())
		ok(t, err)
		if diff := cmp.Diff([]app.Name{"argocd/a", "argocd/b", "argocd/c", "argocd/d"}, names(all)); diff != "" {
			t.Fatal(diff)
		}
	})
	t.Run("follows an application to another repository, and out", func(t *testing.T) {
		e := open(t)
		ok(t, e.Registry.Put(t.Context(), registered("a", one)))
		ok(t, e.Registry.Put(t.Context(), registered("a", one)))
		using(t, e, "git.example/org/one", "argocd/a")
		ok(t, e.Registry.Put(t.Context(), registered("a", two)))
		using(t, e, "git.example/org/one")
		using(t, e, "git.example/org/two", "argocd/a")
		ok(t, e.Registry.Remove(t.Context(), "argocd/a"))
		ok(t, e.Registry.Remove(t.Context(), "argocd/a"))
		using(t, e, "git.example/org/two")
		_, err := e.Registry.Get(t.Context(), "argocd/a")
		wantKind(t, err, fault.NotFound)
	})
	t.Run("refuses an application without repository or name", func(t *testing.T) {
		e := open(t)
		wantKind(t, e.Registry.Put(t.Context(), registered("a", "ftp://git.example/org/one")), fault.Invalid)
		wantKind(t, e.Registry.Put(t.Context(), registered("", one)), fault.Invalid)
		if all, err := e.Registry.All(t.Context()); err != nil || len(all) != 0 {
			t.Fatalf("a refused application is listed: %v, %v", all, err)
		}
	})
	t.Run("does nothing under an ended context", func(t *testing.T) {
		e := open(t)
		wantCancelled(t, map[string]func(context.Context) error{
			"put":    func(ctx context.Context) error { return e.Registry.Put(ctx, registered("a", one)) },
			"remove": func(ctx context.Context) error { return e.Registry.Remove(ctx, "argocd/a") },
			"get":    func(ctx context.Context) error { _, err := e.Registry.Get(ctx, "argocd/a"); return err },
			"all":    func(ctx context.Context) error { _, err := e.Registry.All(ctx); return err },
			"using":  func(ctx context.Context) error { _, err := e.Registry.Using(ctx, "git.example/org/one"); return err },
		})
		using(t, e, "git.example/org/one")
	})
}
