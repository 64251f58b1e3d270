package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	discovery "k8s.io/api/apidiscovery/v2"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
)

// How old what is known of the kinds may be.
const (
	ageOfKind   = 10 * time.Minute // for a kind that is known: its resource name and scope hardly change
	ageOfMiss   = 3 * time.Second  // for one that is not: a sync full of them asks once
	ageOfTarget = 30 * time.Second // for what charts are told; asking again costs two answers of 304
)

// Aggregated discovery, one document for /api and one for /apis: served since Kubernetes 1.30. The parameters' order
// matters to the server.
const acceptDiscovery = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// served is one kind in one version.
type served struct {
	version, resource string
	namespaced        bool
	verbs             []string
}

// knowledge is what a cluster serves, as it was at a time.
type knowledge struct {
	at        time.Time
	documents [2]document                   // /api and /apis
	kinds     map[schema.GroupKind][]served // versions in the cluster's order of preference
	stale     map[string]bool               // groups whose server (an aggregated API) does not answer
	versions  []string                      // group/version and group/version/Kind, sorted
	release   string                        // "v1.36.3"
}

type document struct {
	etag   string
	groups []discovery.APIGroupDiscovery
}

func (d document) same(o document) bool { return d.etag != "" && d.etag == o.etag }

// expire makes the next look-up ask again: the cluster has just said that it has no such path.
func (c *Cluster) expire() {
	if k := c.known.Load(); k != nil {
		old := *k
		old.at = time.Time{}
		c.known.CompareAndSwap(k, &old)
	}
}

// discover is what the cluster serves, no older than age. Several callers at once make one refresh.
func (c *Cluster) discover(ctx context.Context, age time.Duration) (*knowledge, error) {
	recent := func() *knowledge {
		if k := c.known.Load(); k != nil && time.Since(k.at) < age {
			return k
		}
		return nil
	}
	if k := recent(); k != nil {
		return k, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Unavailable, fmt.Errorf("discover the kinds of cluster %s: %w", c.name, ctx.Err()))
	}
	if k := recent(); k != nil {
		return k, nil
	}
	k, err := c.ask(ctx, c.known.Load())
	if err != nil {
		return nil, err
	}
	c.known.Store(k)
	return k, nil
}

// ask reads both documents, or hears that they are still as in was, and the version.
func (c *Cluster) ask(ctx context.Context, was *knowledge) (*knowledge, error) {
	k := &knowledge{at: time.Now()}
	if was != nil {
		k.documents = was.documents
	}
	g, ctx := errgroup.WithContext(ctx)
	for i, path := range []string{"/api", "/apis"} {
		g.Go(func() (err error) {
			k.documents[i], err = c.document(ctx, path, k.documents[i])
			return err
		})
	}
	g.Go(func() (err error) {
		k.release, err = c.version(ctx)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if was != nil && k.documents[0].same(was.documents[0]) && k.documents[1].same(was.documents[1]) {
		k.kinds, k.stale, k.versions = was.kinds, was.stale, was.versions
		return k, nil
	}
	k.index()
	return k, nil
}

func (c *Cluster) document(ctx context.Context, path string, was document) (document, error) {
	r := request{verb: "discover", what: path + " of cluster " + c.name, method: http.MethodGet, path: path, accept: acceptDiscovery, etag: was.etag}
	a, err := c.call(ctx, r)
	if err != nil {
		return document{}, err
	}
	if a.status == http.StatusNotModified {
		return was, nil
	}
	var list discovery.APIGroupDiscoveryList
	if err := json.Unmarshal(a.body, &list); err != nil {
		return document{}, fault.Wrap(fault.Unavailable, fmt.Errorf("discover %s: decode answer: %w", r.what, err))
	}
	if list.Kind != "APIGroupDiscoveryList" {
		return document{}, fault.New(fault.Invalid, "discover %s: the answer is a %.100q; Kubernetes 1.30 or later is needed", r.what, list.Kind)
	}
	return document{etag: a.header.Get("Etag"), groups: list.Items}, nil
}

// index turns the documents into what is looked up.
func (k *knowledge) index() {
	k.kinds, k.stale = map[schema.GroupKind][]served{}, map[string]bool{}
	versions := map[string]bool{}
	for _, d := range k.documents {
		for _, g := range d.groups {
			for _, v := range g.Versions {
				gv := schema.GroupVersion{Group: g.Name, Version: v.Version}
				versions[gv.String()] = true
				if v.Freshness == discovery.DiscoveryFreshnessStale {
					k.stale[g.Name] = true
				}
				for _, r := range v.Resources {
					if r.ResponseKind == nil || r.ResponseKind.Kind == "" || strings.Contains(r.Resource, "/") {
						continue
					}
					gk := schema.GroupKind{Group: g.Name, Kind: r.ResponseKind.Kind}
					versions[gv.String()+"/"+gk.Kind] = true
					if slices.ContainsFunc(k.kinds[gk], func(s served) bool { return s.version == v.Version }) {
						continue
					}
					k.kinds[gk] = append(k.kinds[gk], served{version: v.Version, resource: r.Resource, namespaced: r.Scope == discovery.ScopeNamespace, verbs: r.Verbs})
				}
			}
		}
	}
	for v := range versions {
		k.versions = append(k.versions, v)
	}
	slices.Sort(k.versions)
}

// resolve finds a kind; version "" is the one that the cluster prefers. A miss asks the cluster again, at most once per
// few seconds. Not there: *NoKind as fault.NotFound. The group's server does not answer: fault.Unavailable.
func (c *Cluster) resolve(ctx context.Context, gk schema.GroupKind, version string) (served, error) {
	if gk.Kind == "" {
		return served{}, fault.New(fault.Invalid, "find a kind in cluster %s: no kind is given", c.name)
	}
	var k *knowledge
	for _, age := range []time.Duration{ageOfKind, ageOfMiss} {
		var err error
		if k, err = c.discover(ctx, age); err != nil {
			return served{}, err
		}
		for _, all := range [][]served{k.kinds[gk], c.recall(gk)} {
			if i := slices.IndexFunc(all, func(s served) bool { return version == "" || s.version == version }); i >= 0 {
				return all[i], nil
			}
		}
	}
	if k.stale[gk.Group] {
		return served{}, fault.New(fault.Unavailable, "find kind %s in cluster %s: the server of its group does not answer", gk, c.name)
	}
	none := &NoKind{Cluster: c.name, Kind: gk.String(), Version: version}
	for _, s := range k.kinds[gk] {
		none.Served = append(none.Served, s.version)
	}
	return served{}, fault.Wrap(fault.NotFound, none)
}

func unknown(err error) bool {
	var n *NoKind
	return errors.As(err, &n)
}

// Namespaced reports whether objects of a kind live in namespaces; version "" means any. When the cluster does not know
// the kind: *NoKind as fault.NotFound.
func (c *Cluster) Namespaced(ctx context.Context, gk schema.GroupKind, version string) (bool, error) {
	s, err := c.resolve(ctx, gk, version)
	return s.namespaced, err
}
