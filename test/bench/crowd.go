package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/app"
	"slipway/internal/local/devkube"
)

// crowdKinds are the kinds of test/cluster's Crowd, and what a plain client calls them.
var crowdKinds = map[schema.GroupKind]schema.GroupVersionResource{
	{Kind: "ConfigMap"}:                                       {Version: "v1", Resource: "configmaps"},
	{Kind: "Secret"}:                                          {Version: "v1", Resource: "secrets"},
	{Kind: "Service"}:                                         {Version: "v1", Resource: "services"},
	{Kind: "ServiceAccount"}:                                  {Version: "v1", Resource: "serviceaccounts"},
	{Group: "apps", Kind: "Deployment"}:                       {Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "apps", Kind: "StatefulSet"}:                      {Group: "apps", Version: "v1", Resource: "statefulsets"},
	{Group: "batch", Kind: "CronJob"}:                         {Group: "batch", Version: "v1", Resource: "cronjobs"},
	{Group: "networking.k8s.io", Kind: "Ingress"}:             {Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"},
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:       {Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"},
	{Group: "policy", Kind: "PodDisruptionBudget"}:            {Group: "policy", Version: "v1", Resource: "poddisruptionbudgets"},
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:        {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}: {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
}

// crowd is a cluster of its own, full of applications, and the state that belongs to it.
type crowd struct {
	cluster *devkube.Process
	audit   *audit
	dir     string
	state   string // folder, in dir
	count   int    // of objects
	took    string // for people
}

// crowd is a cluster of its own with n objects in it, all of them touched by their controllers, and the state that sync
// would have written of them.
func (m *machine) crowd(ctx context.Context, n int) (_ *crowd, err error) {
	dir, err := m.folder("crowd")
	if err != nil {
		return nil, err
	}
	c := &crowd{dir: dir, count: n, state: filepath.Join(dir, "state")}
	if c.audit, err = newAudit(dir); err != nil {
		return nil, err
	}
	begin := time.Now()
	filled, err := fill(ctx, n)
	if err != nil {
		return nil, err
	}
	made := time.Now()
	folder := filepath.Join(dir, "devkube")
	if err := os.CopyFS(folder, os.DirFS(filled)); err != nil {
		return nil, fmt.Errorf("copy cluster: %w", err)
	}
	if c.cluster, err = devkube.Start(ctx, devkube.Options{Dir: folder, Args: c.audit.args()}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, stopCluster(ctx, c.cluster))
		}
	}()
	if err := calm(ctx, c.cluster.PID); err != nil {
		return nil, err
	}
	started := time.Now()
	if err := c.record(ctx); err != nil {
		return nil, fmt.Errorf("make the state of %d objects: %w", n, err)
	}
	c.took = fmt.Sprintf("the cluster of %d objects was there after %.0f s (it is kept between runs), ran and was idle after %.0f s more, its state was made in %.0f s",
		n, made.Sub(begin).Seconds(), started.Sub(made).Seconds(), time.Since(started).Seconds())
	return c, c.audit.skip()
}

func (c *crowd) where() app.Cluster {
	return app.Cluster{Name: app.InCluster, Server: app.InClusterServer, Kubeconfig: c.cluster.Kubeconfig}
}

// look is the metadata of every object of the crowd, by the label's value.
func (c *crowd) look(ctx context.Context, k sweeper) (map[string][]metav1.PartialObjectMetadata, error) {
	kinds := slices.Collect(maps.Keys(crowdKinds))
	s := looked{by: map[string][]metav1.PartialObjectMetadata{}, sizes: map[schema.GroupKind]int{}}
	if _, err := k.Sweep(ctx, kinds, s.page); err != nil {
		return nil, err
	}
	total := 0
	for _, n := range s.sizes {
		total += n
	}
	if total != c.count {
		return nil, fmt.Errorf("the cluster has %d objects, want %d", total, c.count)
	}
	return s.by, nil
}
