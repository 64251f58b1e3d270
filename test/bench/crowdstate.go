package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/deploy"
	"slipway/internal/kube"
	"slipway/internal/manifest"
	"slipway/internal/record"
	"slipway/internal/state"
	"slipway/internal/state/bolt"
	"slipway/test/cluster"
)

// record makes records, registry, snapshots and inventories: a sync of each application, the real one, but that its
// applies, which would change nothing, are answered with what the API server has just listed.
func (c *crowd) record(ctx context.Context) (err error) {
	k, err := kube.Connect(c.where())
	if err != nil {
		return err
	}
	live, err := c.look(ctx, k)
	if err != nil {
		return err
	}
	store, err := bolt.Open(c.state)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	s := store.Stores()
	d := deploy.New(deploy.Deps{
		Records: s.Records, Registry: s.Registry, Blobs: s.Blobs, Renderer: again{}, Queue: nobody{}, Owner: "bench",
		Connect: func(context.Context, app.Destination) (deploy.Cluster, error) { return listed{k, live}, nil },
	})
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i := range cluster.CrowdApplications(c.count) {
		g.Go(func() error {
			if err := declare(ctx, s, i); err != nil {
				return err
			}
			return d.Sync(ctx, app.Name(cluster.CrowdName(i)), true)
		})
	}
	return g.Wait()
}

// declare registers an application and has it wanted, as fetch does.
func declare(ctx context.Context, s state.Stores, i int) error {
	objects, err := cluster.CrowdSet(i)
	if err != nil {
		return err
	}
	space, name, _ := strings.Cut(cluster.CrowdName(i), "/")
	a := app.Application{
		Namespace: space, Name: name, Project: app.DefaultProject,
		Source:      app.Source{RepoURL: "https://github.com/myorg/crowd", TargetRevision: "main", Path: fmt.Sprintf("apps/%05d", i)},
		Destination: app.Destination{Server: app.InClusterServer, Namespace: objects[0].GetNamespace()},
		Sync:        app.SyncPolicy{Automated: true, SelfHeal: true, Prune: true},
	}
	if err := s.Registry.Put(ctx, app.Registered{Application: a, Owner: "argocd/root", File: fmt.Sprintf("argocd/%s.yaml", name)}); err != nil {
		return err
	}
	bundle, err := app.Inputs{Application: a, Files: map[string][]byte{}}.Encode()
	if err != nil {
		return err
	}
	digest, err := s.Blobs.Put(ctx, bundle)
	if err != nil {
		return err
	}
	_, err = s.Records.Update(ctx, a.Key(), func(r *record.Record) error {
		r.Wanted = record.Wanted{Digest: digest, Seq: 1}
		for _, u := range objects { // without kinds the whole registry would be read for each application
			r.Kinds = append(r.Kinds, u.GroupVersionKind().GroupKind().String())
		}
		return nil
	})
	return err
}

// again renders what Crowd has applied.
type again struct{}

func (again) Render(_ context.Context, in app.Inputs, _ app.Target) (manifest.Rendered, error) {
	var i int
	if _, err := fmt.Sscanf(in.Application.Source.Path, "apps/%d", &i); err != nil {
		return manifest.Rendered{}, err
	}
	objects, err := cluster.CrowdSet(i)
	var out manifest.Rendered
	for _, u := range objects {
		out.Objects = append(out.Objects, manifest.Object{Unstructured: u, File: in.Application.Source.Path + "/all.yaml"})
	}
	return out, err
}

// listed is the cluster for a sync that changes nothing.
type listed struct {
	*kube.Cluster
	live map[string][]metav1.PartialObjectMetadata // by label
}

func (l listed) List(_ context.Context, label string, _ []schema.GroupKind) ([]metav1.PartialObjectMetadata, error) {
	return l.live[label], nil
}

// Apply refuses whatever would not leave the object as it is.
func (l listed) Apply(_ context.Context, u *unstructured.Unstructured, dryRun bool) (*unstructured.Unstructured, []string, error) {
	if dryRun {
		return u, nil, nil
	}
	id := manifest.IDOf(u)
	for _, m := range l.live[u.GetLabels()[manifest.Label]] {
		if m.Name != id.Name || m.Namespace != id.Namespace || m.GroupVersionKind().GroupKind() != id.GroupKind() {
			continue
		}
		if m.Annotations[manifest.DigestNote] != u.GetAnnotations()[manifest.DigestNote] {
			return nil, nil, fmt.Errorf("apply %s: its digest differs", id)
		}
		b, err := json.Marshal(m)
		if err != nil {
			return nil, nil, err
		}
		out := &unstructured.Unstructured{}
		return out, nil, out.UnmarshalJSON(b)
	}
	return nil, nil, fmt.Errorf("apply %s: it is not there", id)
}

// nobody is a queue that nobody reads.
type nobody struct{}

func (nobody) Wake(context.Context, app.Name) error        { return nil }
func (nobody) Look(context.Context, app.Application) error { return nil }

// sweeper is the part of kube.Cluster that shows everything.
type sweeper interface {
	Sweep(ctx context.Context, kinds []schema.GroupKind, page kube.Page) (manifest.Swept, error)
}

// looked keeps a copy of what a sweep shows.
type looked struct {
	mu    sync.Mutex
	by    map[string][]metav1.PartialObjectMetadata
	sizes map[schema.GroupKind]int
}

func (l *looked) page(kind schema.GroupKind, _ string, items []metav1.PartialObjectMetadata) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sizes[kind] += len(items)
	for i := range items {
		label := items[i].Labels[manifest.Label]
		l.by[label] = append(l.by[label], *items[i].DeepCopy())
	}
	return nil
}
