package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"slipway/internal/manifest"
)

const (
	healWait  = 30 * time.Second // an edit that is not healed by then is lost
	firstWait = 2 * time.Minute  // until the first watches are there, on a machine that is starved
)

// watcher edits objects and watches the cluster, without slipway, for the moments at which they are healed.
type watcher struct {
	client dynamic.Interface

	mu    sync.Mutex
	marks map[place]*marked
	err   error // of the first watch that ended
}

type place struct {
	resource    schema.GroupVersionResource
	space, name string
}

// watcher begins to watch; it ends with ctx.
func (c *crowd) watcher(ctx context.Context, targets []*target) (*watcher, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", c.cluster.Kubeconfig)
	if err != nil {
		return nil, err
	}
	cfg.UserAgent, cfg.QPS = "bench", -1
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, err
	}
	w := &watcher{client: client, marks: map[place]*marked{}}
	for _, t := range targets {
		w.marks[place{t.resource, t.space, t.name}] = &marked{target: t}
	}
	for _, r := range crowdKinds {
		list, err := client.Resource(r).List(ctx, metav1.ListOptions{LabelSelector: manifest.Label, Limit: 1})
		if err != nil {
			return nil, fmt.Errorf("watch cluster: %w", err)
		}
		events, err := client.Resource(r).Watch(ctx, metav1.ListOptions{LabelSelector: manifest.Label, ResourceVersion: list.GetResourceVersion(), TimeoutSeconds: new(int64(3600))})
		if err != nil {
			return nil, fmt.Errorf("watch cluster: %w", err)
		}
		go w.follow(ctx, r, events)
	}
	return w, nil
}

func (w *watcher) follow(ctx context.Context, r schema.GroupVersionResource, events watch.Interface) {
	for e := range events.ResultChan() {
		at := time.Now()
		u, ok := e.Object.(*unstructured.Unstructured)
		if !ok {
			break
		}
		if e.Type != watch.Deleted {
			w.see(r, u, at)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() == nil {
		w.err = errors.Join(w.err, fmt.Errorf("watch %s: the API server ended it", r.Resource))
	}
}

func (w *watcher) see(r schema.GroupVersionResource, u *unstructured.Unstructured, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.marks[place{r, u.GetNamespace(), u.GetName()}]
	if m == nil || !m.right(u) {
		return
	}
	version, err := strconv.ParseUint(u.GetResourceVersion(), 10, 64)
	if err != nil {
		w.err = errors.Join(w.err, fmt.Errorf("watch %s: %w", r.Resource, err))
	}
	m.seen = append(m.seen, sight{at, u.GetUID(), version})
}

// edit edits a target.
func (w *watcher) edit(ctx context.Context, t *target) error {
	uid, version, err := t.do(ctx, w.client)
	answered := time.Now()
	if err != nil {
		return fmt.Errorf("%s %s %s: %w", t.edit.verb, t.resource.Resource, t.name, err)
	}
	number, err := strconv.ParseUint(version, 10, 64) // KEP-5504
	if err != nil {
		return fmt.Errorf("read resourceVersion: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.marks[place{t.resource, t.space, t.name}]
	m.uid, m.version, m.answered = uid, number, answered
	return nil
}

// spread edits all targets within a time, each at a moment of its own part of it, however long the ones before take.
func (w *watcher) spread(ctx context.Context, targets []*target, over time.Duration, part func() float64) error {
	g, ctx := errgroup.WithContext(ctx)
	begin, step := time.Now(), over/time.Duration(len(targets))
	for i, t := range targets {
		at := begin.Add(time.Duration((float64(i) + part()) * float64(step)))
		g.Go(func() error {
			select {
			case <-time.After(time.Until(at)):
			case <-ctx.Done():
				return ctx.Err()
			}
			return w.edit(ctx, t)
		})
	}
	return g.Wait()
}
