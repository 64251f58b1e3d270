package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"slipway/internal/fault"
	"slipway/internal/manifest"
)

// List is the metadata of all objects that carry our label with value label, of the given kinds or, for nil, of every
// kind that can be listed and changed. Each item has its own kind's type. The reads are consistent: what was written
// before is in them.
//
// Of given kinds, one that the cluster no longer knows is left out: its objects went with it. One whose server does not
// answer is an error, because its objects would look missing; for nil it is left out, as one dead aggregated API would
// stop everything else. Label decides nothing about ownership: controllers copy it (a Service's to its EndpointSlices).
func (c *Cluster) List(ctx context.Context, label string, kinds []schema.GroupKind) ([]metav1.PartialObjectMetadata, error) {
	all := kinds == nil
	if all {
		k, err := c.discover(ctx, ageOfMiss)
		if err != nil {
			return nil, err
		}
		kinds = k.listable()
	}
	found := make([][]metav1.PartialObjectMetadata, len(kinds))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(sideBySide)
	for i, gk := range kinds {
		g.Go(func() error {
			s, err := c.resolve(ctx, gk, "")
			if err != nil {
				if unknown(err) {
					return nil
				}
				return fmt.Errorf("list %s: %w", gk, err)
			}
			found[i], err = c.listKind(ctx, label, gk, s)
			if gone(err) || all && fault.Is(err, fault.Unavailable) && c.isStale(gk.Group) {
				found[i], err = nil, nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(found...), nil
}

// listable is every kind that can be listed and changed, but events, which nobody declares.
func (k *knowledge) listable() []schema.GroupKind {
	var kinds []schema.GroupKind
	for gk, versions := range k.kinds {
		if gk.Kind == "Event" && (gk.Group == "" || gk.Group == "events.k8s.io") {
			continue
		}
		if v := versions[0].verbs; slices.Contains(v, "list") && slices.Contains(v, "patch") {
			kinds = append(kinds, gk)
		}
	}
	slices.SortFunc(kinds, func(a, b schema.GroupKind) int { return strings.Compare(a.String(), b.String()) })
	return kinds
}

func (c *Cluster) isStale(group string) bool {
	k := c.known.Load()
	return k != nil && k.stale[group]
}

// gone: the kind went between discovery and the list, or cannot be listed after all.
func gone(err error) bool {
	var s *refused
	return errors.As(err, &s) && (s.status == http.StatusNotFound || s.status == http.StatusMethodNotAllowed)
}

func (c *Cluster) listKind(ctx context.Context, label string, gk schema.GroupKind, s served) ([]metav1.PartialObjectMetadata, error) {
	r := request{
		verb: "list", what: gk.String(), about: about(gk, "", ""),
		method: http.MethodGet, path: collection(gk.Group, s, ""), accept: acceptMetadataList, time: listTime,
		query: url.Values{"labelSelector": {manifest.Label + "=" + label}},
	}
	return pages(ctx, c, r, func(a answer) ([]metav1.PartialObjectMetadata, string, error) {
		var page metav1.PartialObjectMetadataList
		if err := decodeMetadata(r, a, &page); err != nil {
			return nil, "", err
		}
		for i := range page.Items {
			page.Items[i].TypeMeta = typeOf(gk, s.version)
		}
		return page.Items, page.Continue, nil
	})
}

// pages sends r for one page after the other. decode is given each answer: what is in it, and the token of the next.
func pages[T any](ctx context.Context, c *Cluster, r request, decode func(answer) ([]T, string, error)) ([]T, error) {
	items, err := pagesOnce(ctx, c, r, decode)
	var s *refused
	if errors.As(err, &s) && s.status == http.StatusGone { // the continue token outlived the server's history: once more
		return pagesOnce(ctx, c, r, decode)
	}
	return items, err
}

func pagesOnce[T any](ctx context.Context, c *Cluster, r request, decode func(answer) ([]T, string, error)) ([]T, error) {
	var items []T
	r.query = maps.Clone(r.query)
	r.query.Set("limit", strconv.Itoa(pageSize))
	for range maxPages {
		a, err := c.call(ctx, r)
		if err != nil {
			return nil, err
		}
		page, next, err := decode(a)
		if err != nil {
			return nil, err
		}
		items = append(items, page...)
		if next == "" {
			return items, nil
		}
		r.query.Set("continue", next)
	}
	return nil, fault.New(fault.Invalid, "list %s: more than %d objects fit %s", r.what, maxPages*pageSize, r.query.Get("labelSelector"))
}
