// Package local is slipway up: the git host, the webhook, the queues, the schedule and the functions in one process, made
// of the very handlers that Lambda runs, against a real cluster. It composes; what it composes does the work.
package local

import (
	"net/url"
	"path"
	"strings"
	"time"

	"slipway/internal/app"
	"slipway/internal/fault"
	"slipway/internal/revision"
)

// Options says what to run.
type Options struct {
	Dir        string        // all state; a restart with the same folder goes on where it stopped. Required
	Listen     string        // "127.0.0.1:0" if empty
	Kubeconfig string        // of the cluster called in-cluster; empty starts a devkube of its own
	Config     string        // file of further clusters and hosts; may be empty
	Root       string        // REPO:PATH of the first Applications; may be empty
	Executable string        // the slipway binary, for the render child; os.Executable() if empty
	Sweep      time.Duration // between two looks at all branches; 5 min if zero
	Drift      time.Duration // between two runs of drift in a cluster; 1 min if zero
	Watch      bool          // drift watches the clusters whose configuration does not say how
}

// Ready is the line that slipway up prints when everything answers.
type Ready struct {
	URL        string `json:"url"` // webhook, API and page
	Git        string `json:"git"` // push to GIT/OWNER/NAME.git
	Kubeconfig string `json:"kubeconfig"`
	Prometheus string `json:"prometheus,omitempty"` // of a cluster of its own
	Dir        string `json:"dir"`
}

// rootName is the application that holds the first level of Applications.
const rootName = "root"

// root is --root as an Application: a plain directory, applied by itself, pruned by itself.
func root(flag string) (app.Application, error) {
	repo, dir, ok := cutLast(flag, ":")
	if !ok || strings.HasPrefix(dir, "//") {
		return app.Application{}, fault.New(fault.Invalid, "parse root %q: want REPO:PATH, such as myorg/k8s-config:argocd", flag)
	}
	if !strings.Contains(repo, "://") && strings.Count(repo, "/") == 1 {
		repo = "https://github.com/" + repo
	}
	if _, err := revision.ParseRepository(repo); err != nil {
		return app.Application{}, fault.New(fault.Invalid, "parse root: %w", err)
	}
	if u, err := url.Parse(repo); err == nil && u.User != nil {
		return app.Application{}, fault.New(fault.Invalid, "parse root: a repository's URL must not carry credentials")
	}
	clean := path.Clean(strings.TrimPrefix(dir, "/"))
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return app.Application{}, fault.New(fault.Invalid, "parse root %q: the path leaves the repository", flag)
	}
	return app.Application{
		Namespace: app.DefaultNamespace, Name: rootName, Project: app.DefaultProject,
		Source:      app.Source{RepoURL: repo, Path: clean, Directory: &app.Directory{Recurse: true}},
		Destination: app.Destination{Server: app.InClusterServer, Namespace: app.DefaultNamespace},
		Sync:        app.SyncPolicy{Automated: true, Prune: true, SelfHeal: true, CreateNamespace: true},
	}, nil
}

// watch puts the clusters whose configuration does not say how into watch mode.
func watch(clusters []app.Cluster) {
	for i := range clusters {
		if clusters[i].Drift == "" {
			clusters[i].Drift = app.DriftWatch
		}
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
