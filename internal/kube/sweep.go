package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// Page takes objects of one kind, all of one state of the cluster. Each has its kind's type. items, and what they point
// to, are used again after it returns: whoever keeps a part copies it. Pages of different kinds come at once, those of
// one kind one after the other. An error ends the sweep.
type Page = func(kind schema.GroupKind, resourceVersion string, items []metav1.PartialObjectMetadata) error

// Sweep hands over the metadata of all objects that carry our label, whatever its value, of the given kinds or, for nil,
// of every kind that can be listed and changed. It holds a page of each of a few kinds and no more. The reads are
// consistent: what was written before is in them.
//
// A kind that fails stops no other one. The error joins what failed, also in Swept.Failed; only what is in Swept.Whole
// was seen whole. As in List, a kind that the cluster does not know is no error, and of all kinds those are left out
// whose aggregated API is dead. When a kind's pages expire it starts once more from its first: what page was given under
// another resourceVersion before is then out of date, and objects come twice.
func (c *Cluster) Sweep(ctx context.Context, kinds []schema.GroupKind, page Page) (manifest.Swept, error) {
	return c.SweepSince(ctx, kinds, nil, page)
}

// SweepSince is Sweep for a caller that has swept before: of an object that is known only name, namespace, uid and
// resourceVersion are handed over.
func (c *Cluster) SweepSince(ctx context.Context, kinds []schema.GroupKind, known Known, page Page) (manifest.Swept, error) {
	all := kinds == nil
	if all {
		k, err := c.discover(ctx, ageOfMiss)
		if err != nil {
			return manifest.Swept{}, err
		}
		kinds = k.listable()
	}
	s := sweep{c: c, known: known, page: page, swept: manifest.Swept{Whole: map[schema.GroupKind]string{}, Failed: map[schema.GroupKind]error{}}}
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	for _, gk := range kinds {
		g.Go(func() error {
			version, err := s.kind(inner, gk)
			if all && fault.Is(err, fault.Unavailable) && c.isStale(gk.Group) {
				return nil
			}
			return s.done(gk, version, err)
		})
	}
	if err := g.Wait(); err != nil {
		return s.swept, err
	}
	var failed []error
	for _, gk := range kinds {
		if err := s.swept.Failed[gk]; err != nil {
			failed = append(failed, err)
		}
	}
	return s.swept, joined(failed)
}

// joined is errs as one error of the first one's kind, which says how long to wait.
func joined(errs []error) error {
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	after, _ := fault.After(errs[0])
	return fault.Later(fault.Of(errs[0]), after, errors.Join(errs...))
}

type sweep struct {
	c     *Cluster
	known Known
	page  Page

	mu    sync.Mutex
	swept manifest.Swept
}

// stop is an error of page, which ends the sweep.
type stop struct{ error }

func (s stop) Unwrap() error { return s.error }

// done notes how a kind ended. What it returns ends the other kinds too.
func (s *sweep) done(gk schema.GroupKind, version string, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var end stop
	switch {
	case err == nil:
		s.swept.Whole[gk] = version
	case errors.As(err, &end):
		s.swept.Failed[gk] = end.error
		return end.error
	default:
		s.swept.Failed[gk] = err
	}
	return nil
}

func (s *sweep) count(a answer, objects int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swept.Requests += a.tries
	s.swept.Bytes += a.wire
	s.swept.Objects += objects
}

// kind hands over all pages of a kind and returns their resourceVersion, "" for a kind that the cluster does not know.
func (s *sweep) kind(ctx context.Context, gk schema.GroupKind) (string, error) {
	v, err := s.c.resolve(ctx, gk, "")
	if unknown(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("sweep %s: %w", gk, err)
	}
	version, err := s.pages(ctx, gk, v)
	var r *refused
	if errors.As(err, &r) && r.status == http.StatusGone { // the continue token outlived the server's history: once more
		version, err = s.pages(ctx, gk, v)
	}
	if gone(err) {
		return "", nil
	}
	return version, err
}

// buffers are of pages, about a megabyte each: used again by the next kind.
var buffers sync.Pool

func (s *sweep) pages(ctx context.Context, gk schema.GroupKind, v served) (string, error) {
	buffer, ok := buffers.Get().(*bytes.Buffer)
	if !ok {
		buffer = &bytes.Buffer{}
	}
	defer buffers.Put(buffer)
	r := request{
		verb: "sweep", what: gk.String(), about: about(gk, "", ""), coding: s.c.coding, buffer: buffer,
		method: http.MethodGet, path: collection(gk.Group, v, ""), accept: acceptMetadataList, time: listTime,
		query: url.Values{"labelSelector": {manifest.Label}, "limit": {strconv.Itoa(sweepSize)}},
	}
	kind := typeOf(gk, v.version)
	var list metav1.PartialObjectMetadataList
	for range maxPages {
		a, err := s.c.call(ctx, r)
		if err != nil {
			return "", err
		}
		clear(list.Items[:cap(list.Items)])
		list = metav1.PartialObjectMetadataList{Items: list.Items[:0]}
		if err := s.decodePage(r, a, gk, &list); err != nil {
			return "", err
		}
		for i := range list.Items {
			list.Items[i].TypeMeta = kind
		}
		s.count(a, len(list.Items))
		if err := s.page(gk, list.ResourceVersion, list.Items); err != nil {
			return "", stop{err}
		}
		if list.Continue == "" {
			return list.ResourceVersion, nil
		}
		r.query.Set("continue", list.Continue)
	}
	return "", fault.New(fault.Invalid, "sweep %s: more than %d objects carry label %s", gk, maxPages*sweepSize, manifest.Label)
}
