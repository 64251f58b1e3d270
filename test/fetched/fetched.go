// Package fetched puts into a state what fetch leaves there, for tests that begin after it. Only tests import it.
package fetched

import (
	"context"
	"fmt"
	"testing"
	"time"

	"slipway/internal/app"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/render"
	"slipway/internal/revision"
	"slipway/internal/state"
)

// Repository is where the applications of tests come from.
const Repository = "https://github.com/myorg/k8s-config"

// Application is one that follows the main branch of Repository and may prune.
func Application(name, namespace string) app.Application {
	return app.Application{
		Namespace: "argocd", Name: name, Project: "default",
		Source:      app.Source{RepoURL: Repository, TargetRevision: "main", Path: "apps/shop", Directory: &app.Directory{Recurse: true}},
		Destination: app.Destination{Name: app.InCluster, Namespace: namespace},
		Sync:        app.SyncPolicy{Automated: true, Prune: true},
	}
}

// Push makes files, by their paths below the application's, what is wanted of it: commit number n of its branch, counted
// from 1.
func Push(t testing.TB, s state.Stores, a app.Application, n int, files map[string]string) revision.SHA {
	t.Helper()
	in := app.Inputs{Application: a, Files: map[string][]byte{}}
	for p, text := range files {
		in.Files[a.Source.Path+"/"+p] = []byte(text)
	}
	b, err := in.Encode()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := s.Blobs.Put(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	from, err := a.From()
	if err != nil {
		t.Fatal(err)
	}
	sha := revision.SHA(fmt.Sprintf("%040x", n))
	_, err = s.Records.Update(t.Context(), a.Key(), func(r *record.Record) error {
		return r.Find(r.Ver, from, sha, digest, false, time.Now(), time.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	return sha
}

// Renderer renders in the test's own process.
type Renderer struct{}

// Render is render.InProcess.
func (Renderer) Render(_ context.Context, in app.Inputs, t app.Target) (manifest.Rendered, error) {
	return render.InProcess(in, t)
}
