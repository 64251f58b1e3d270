// Package app is what a user declares: applications, sets of them, and the clusters they go to. It decodes strictly and
// refuses by path what is not supported; it fetches, renders and applies nothing.
package app

import (
	"strings"

	"slipway/internal/revision"
)

// Name is an Application's namespace and name, "argocd/order-service".
type Name string

// Application is an Argo CD Application (argoproj.io/v1alpha1) as far as it is supported. Every other field is refused
// by its path when it is decoded.
type Application struct {
	Namespace   string            `json:"namespace"` // of the Application object, not of its workloads
	Name        string            `json:"name"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Project     string            `json:"project"`
	Source      Source            `json:"source"`
	Destination Destination       `json:"destination"`
	Sync        SyncPolicy        `json:"sync"`
	// IgnoreDifferences are fields whose live value drift leaves alone; syncs too with RespectIgnoreDifferences.
	IgnoreDifferences []IgnoreDifference `json:"ignoreDifferences,omitempty"`
}

// Key is the Application's Name.
func (a Application) Key() Name { return Name(a.Namespace + "/" + a.Name) }

// Source is where an application's manifests come from.
type Source struct {
	RepoURL        string     `json:"repoURL"`        // as the user wrote it
	TargetRevision string     `json:"targetRevision"` // branch, tag, full commit id; "" means HEAD
	Path           string     `json:"path"`           // clean, slash-separated, "." for the root of the repository
	Helm           *Helm      `json:"helm,omitempty"`
	Directory      *Directory `json:"directory,omitempty"`
}

// Helm is spec.source.helm.
type Helm struct {
	ReleaseName             string      `json:"releaseName,omitempty"`
	ValueFiles              []string    `json:"valueFiles,omitempty"`
	IgnoreMissingValueFiles bool        `json:"ignoreMissingValueFiles,omitempty"`
	Values                  string      `json:"values,omitempty"`       // YAML text
	ValuesObject            []byte      `json:"valuesObject,omitempty"` // JSON; replaces Values entirely when set
	Parameters              []Parameter `json:"parameters,omitempty"`
	SkipCRDs                bool        `json:"skipCrds,omitempty"`
	SkipSchemaValidation    bool        `json:"skipSchemaValidation,omitempty"`
	SkipTests               bool        `json:"skipTests,omitempty"`
	Namespace               string      `json:"namespace,omitempty"`
	KubeVersion             string      `json:"kubeVersion,omitempty"`
	APIVersions             []string    `json:"apiVersions,omitempty"`
}

// Parameter is one --set of Argo CD's.
type Parameter struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	ForceString bool   `json:"forceString,omitempty"`
}

// Directory is spec.source.directory.
type Directory struct {
	Recurse bool   `json:"recurse,omitempty"`
	Include string `json:"include,omitempty"`
	Exclude string `json:"exclude,omitempty"`
}

// Destination is where an application goes: a cluster by server URL or by name, and a namespace.
type Destination struct {
	Server    string `json:"server,omitempty"`
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// SyncPolicy says what happens by itself. The zero value registers the application and waits for slipway app sync.
type SyncPolicy struct {
	Automated       bool `json:"automated,omitempty"`
	Prune           bool `json:"prune,omitempty"`
	SelfHeal        bool `json:"selfHeal,omitempty"`
	AllowEmpty      bool `json:"allowEmpty,omitempty"`
	CreateNamespace bool `json:"createNamespace,omitempty"`
	// RespectIgnoreDifferences has a sync leave alone what IgnoreDifferences names; without it git's values are applied.
	RespectIgnoreDifferences bool `json:"respectIgnoreDifferences,omitempty"`
}

// From is the source as the record keys it: a branch or tag without refs/heads/ or refs/tags/, as moves name it.
func (a Application) From() (revision.Source, error) {
	r, err := revision.ParseRepository(a.Source.RepoURL)
	if err != nil {
		return revision.Source{}, err
	}
	ref := a.Source.TargetRevision
	ref = strings.TrimPrefix(strings.TrimPrefix(ref, "refs/heads/"), "refs/tags/")
	if ref == "" {
		ref = revision.Head
	}
	return revision.Source{Repository: r, Ref: ref}, nil
}
